"""``recover doctor``: what is missing on this machine, and how to get it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from orchestrator.domain.errors import ContentInvalid, OrchestratorError
from orchestrator.domain.run import ExitCode
from orchestrator.domain.verdict import Verdict
from orchestrator.interfaces.columns import labelled, printable, wrapped
from orchestrator.interfaces.marks import mark
from orchestrator.settings import Settings

LIBRARIES = (
    "ansible-core",
    "ansible-runner",
    "fabric",
    "httpx",
    "jinja2",
    "paramiko",
    "psycopg",
    "pydantic",
    "pytest-testinfra",
    "tenacity",
)
OLDEST_PYTHON = (3, 11)
WIDTH = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        verdict: ``DEGRADED`` for what is good to have, ``FAILED`` for what is needed.
        remedy: What to do; empty when it is well.
    """

    what: str
    seen: str
    verdict: Verdict = Verdict.PASSED
    remedy: str = ""


@click.command()
@click.pass_obj
def doctor(settings: Settings) -> None:
    """Say what is missing here, and how to get it."""
    missing = 0
    for finding in _examine(settings):
        missing += finding.verdict is Verdict.FAILED
        for line in _told(finding):
            click.echo(line)
    if missing:
        click.echo(f"\n{missing} missing: the lines with ✗ say how to get it", err=True)
        sys.exit(ExitCode.INTERNAL)


def _told(finding: Finding) -> Iterator[str]:
    first, *rest = labelled(finding.what, finding.seen, indent=0, width=WIDTH)
    yield f"{mark(finding.verdict)} {first}"
    yield from (f"  {line}" for line in rest)
    if finding.remedy:
        indent = " " * (WIDTH + 2)
        yield from wrapped(printable(finding.remedy), f"{indent}→ ", f"{indent}  ")


def _examine(settings: Settings) -> Iterator[Finding]:
    yield _examine_python()
    yield _examine_libraries()
    yield _examine_ssh()
    yield _examine_content(settings)
    yield _examine_state(settings.state)
    yield _examine_journal(settings)
    yield from _examine_lab()


def _examine_python() -> Finding:
    seen = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= OLDEST_PYTHON:
        return Finding(what="python", seen=seen)
    return _lack("python", f"{seen} is too old", "install Python 3.11 or later: make setup")


def _examine_libraries() -> Finding:
    missing = [name for name in LIBRARIES if not _is_installed(name)]
    if not missing:
        return Finding(what="libraries", seen=f"ansible-core {version('ansible-core')} and others")
    return _lack("libraries", f"missing: {', '.join(missing)}", "make setup")


def _is_installed(library: str) -> bool:
    try:
        return bool(version(library))
    except PackageNotFoundError:
        return False


def _examine_ssh() -> Finding:
    found = shutil.which("ssh")
    if found:
        return Finding(what="ssh", seen=found)
    return _lack("ssh", "no program ssh, which Ansible needs", "apt-get install openssh-client")


def _examine_content(settings: Settings) -> Finding:
    from orchestrator.bootstrap import contents

    if not (settings.content / "playbooks").is_dir():
        remedy = "go to the folder that has one, or give --content DIR or RECOVER_CONTENT"
        return _lack("content", f"no folder playbooks in {settings.content}", remedy)
    try:
        problems = contents.load(settings).problems
    except (ContentInvalid, OSError) as error:
        return _lack("content", f"{settings.content}: {error}", "make it readable")
    if problems:
        seen = f"{settings.content}, with problems: {len(problems)}"
        return _note("content", seen, "recover lint lists them")
    return Finding(what="content", seen=str(settings.content))


def _examine_state(state: Path) -> Finding:
    nearest = next(folder for folder in (state, *state.parents) if folder.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Finding(what="state", seen=str(state))
    return _lack("state", f"{nearest} cannot be written", "give --state DIR or RECOVER_STATE")


def _examine_journal(settings: Settings) -> Finding:
    from orchestrator.bootstrap import runs

    if not settings.journal.exists():
        return Finding(what="journal", seen="none yet: the first run begins it")
    try:
        known = runs.open_journal(settings).runs()
    except OrchestratorError as error:
        remedy = f"move {settings.journal} away, with what lies beside it, and keep it"
        return _lack("journal", str(error), remedy)
    return Finding(what="journal", seen=f"runs: {len(known)}")


def _examine_lab() -> Iterator[Finding]:
    from orchestrator.lab import requirements
    from orchestrator.lab.errors import LabError, PackagesMissing

    try:
        requirements.require_packages(loopback=True)
    except PackagesMissing as error:
        yield _lack("lab, packages", str(error), "do so as root, or: make setup")
        return
    yield Finding(what="lab, packages", seen="there")
    try:
        requirements.require_namespaces()
    except LabError as error:
        remedy = "none is needed: `recover lab up` builds the loopback lab instead"
        reason = str(error).rpartition(": ")[2]
        yield _note("lab, full", f"not here: {reason}", remedy)
    else:
        yield Finding(what="lab, full", seen="can be built here")


def _lack(what: str, seen: str, remedy: str) -> Finding:
    return Finding(what=what, seen=seen, verdict=Verdict.FAILED, remedy=remedy)


def _note(what: str, seen: str, remedy: str) -> Finding:
    return Finding(what=what, seen=seen, verdict=Verdict.DEGRADED, remedy=remedy)
