"""What the documents tell people to type can be typed."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from orchestrator.domain.run import ExitCode
from orchestrator.interfaces.cli import COMMANDS
from orchestrator.interfaces.cli import recover as command_line
from tests.support.command_line import ROOT, call, surroundings

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(recover [a-z][^`\n]*)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
READ_ONLY = frozenset({"lint", "playbooks", "show", "doctor", "runs", "locks"})


def typed_lines() -> Iterator[tuple[str, str]]:
    """Every line of a console block, with its document; comments are left out."""
    for document in DOCUMENTS:
        for block in BLOCK.findall(document.read_text()):
            for line in block.splitlines():
                yield document.name, line.partition("#")[0].strip()


def recover_lines() -> list[str]:
    """Everything that starts with ``recover``, wherever a document has it."""
    inline = (found for d in DOCUMENTS for found in INLINE.findall(d.read_text()))
    typed = (line for _, line in typed_lines() if line.startswith("recover "))
    return sorted({*typed, *inline})


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_documents_hold_commands_at_all() -> None:
    assert len(recover_lines()) > 10


@pytest.mark.parametrize("line", recover_lines())
def test_every_command_of_the_documents_exists_with_its_options(line: str) -> None:
    command: click.Command = command_line
    context = click.Context(command_line, info_name="recover")
    _, *rest = shlex.split(line)
    while isinstance(command, click.Group) and rest:
        name, *rest = rest[0].partition("|")[0], *rest[1:]
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name}"
        command = found
    known = {option for parameter in command.params for option in parameter.opts}

    assert {word for word in rest if word.startswith("-")} <= known


@pytest.mark.parametrize(
    "line",
    [line for line in recover_lines() if line.split()[1] in READ_ONLY and line.isascii()],
)
def test_what_only_looks_is_run_as_it_stands(line: str, tmp_path: Path) -> None:
    _, command, *rest = shlex.split(line)
    args = ["database-switchover" if word == "PLAYBOOK" else word for word in rest]

    told = call(command, *args, env=surroundings(RECOVER_STATE=str(tmp_path)))

    # A machine without the lab's packages is none of the documents' fault.
    assert told.code in ({0, ExitCode.INTERNAL} if command == "doctor" else {0})
    assert "Traceback" not in told.err


def test_every_target_that_is_named_is_in_the_makefile() -> None:
    typed = {line.split()[1] for _, line in typed_lines() if line.startswith("make ")}
    inline = set(re.findall(r"`make ([a-z-]+)`", _all_text()))

    assert {"demo", "test"} <= typed
    assert typed | inline <= make_targets()


def test_every_link_leads_to_a_file() -> None:
    missing = [
        (document.name, target)
        for document in DOCUMENTS
        for target in LINK.findall(document.read_text())
        if not (document.parent / target).exists()
    ]

    assert missing == []


def test_the_folder_of_the_ten_minutes_lints_when_only_the_names_are_changed(
    tmp_path: Path,
) -> None:
    """Steps 1 and 7 of your-own-environment.md, in a home of our own."""
    guide = (ROOT / "docs/your-own-environment.md").read_text()
    block = BLOCK.findall(guide)[0]
    script = "\n".join(line for line in block.splitlines() if line and not line.startswith("cd "))
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=True,
        timeout=60,
    )
    root = tmp_path / "recovery"
    environment = root / "environments/acme/environment.yaml"
    text = environment.read_text()
    assert "environment: lab\n" in text
    text = text.replace("environment: lab\n", "environment: acme\n")
    environment.write_text(re.sub(r"^kind: lab$", "kind: production", text, flags=re.MULTILINE))

    told = call("lint", cwd=root)

    assert (told.code, told.out) == (0, "")


def test_the_exit_codes_of_the_readme_are_those_of_the_code() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())

    listed = {int(number) for number in re.findall(r"[·:] ?(\d) [a-z]", readme)}

    assert {int(code) for code in ExitCode} <= listed


def test_every_command_for_people_is_in_the_documents() -> None:
    text = _all_text()

    unnamed = [name for name in COMMANDS if f"recover {name}" not in text]
    assert set(unnamed) <= {"canary", "drive"}


def _all_text() -> str:
    return "\n".join(document.read_text() for document in DOCUMENTS)
