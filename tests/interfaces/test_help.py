from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator.interfaces.cli import COMMANDS, HIDDEN
from tests.interfaces.conftest import Recover
from tests.support.command_line import ROOT, call, surroundings

SLOW = ("ansible", "ansible_runner", "fastapi", "pydantic", "psycopg", "jinja2", "paramiko",
        "fabric", "httpx", "pytest", "sqlite3", "yaml", "tenacity", "weasyprint")  # fmt: skip
HEAVY_FOR_LINT = ("paramiko", "fabric", "httpx", "psycopg", "jinja2", "pytest", "tenacity")


def loaded_by(code: str) -> set[str]:
    """The packages that are imported once *code* has run in a fresh interpreter."""
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {name.partition(".")[0] for name in told.stdout.split()}


def test_help_imports_nothing_that_it_does_not_show() -> None:
    loaded = loaded_by(
        "from orchestrator.interfaces.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as left: assert left.code == 0"
    )

    assert "click" in loaded
    assert loaded & set(SLOW) == set()


def test_help_needs_none_of_our_own_rooms_but_its_own() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import orchestrator.interfaces.cli, sys; print(*sys.modules)"],
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    ours = {name for name in told.stdout.split() if name.startswith("orchestrator")}
    assert ours == {
        "orchestrator",
        "orchestrator.interfaces",
        "orchestrator.interfaces.cli",
        "orchestrator.settings",
    }


def test_lint_opens_no_client_of_any_target() -> None:
    loaded = loaded_by(
        "import orchestrator.interfaces.content_cli, orchestrator.bootstrap.contents"
    )

    assert "pydantic" in loaded
    assert loaded & set(HEAVY_FOR_LINT) == set()


def test_help_lists_every_command_for_people_in_the_order_of_a_run_s_life() -> None:
    told = call("--help")

    assert told.code == 0
    listed = [line.split()[0] for line in told.out.partition("Commands:\n")[2].splitlines()]
    assert listed == [name for name in COMMANDS if name not in HIDDEN]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_within_the_terminal(command: str, recover: Recover) -> None:
    told = recover(command, "-h")

    assert told.code == 0
    assert f"Usage: recover {command}" in told.out
    assert [line for line in told.out.splitlines() if len(line) > 80] == []


def test_the_version_is_that_of_the_package() -> None:
    told = call("--version")

    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("recover, version ")
