"""``recover doctor``: what is missing on this machine, and how to get it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from orchestrator.domain.run import ExitCode
from orchestrator.settings import Settings

LIBRARIES = ("ansible-core", "ansible-runner", "fabric", "paramiko", "psycopg", "httpx")
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``remedy`` is empty when it is well."""

    what: str
    seen: str
    remedy: str = ""


@click.command()
@click.pass_obj
def doctor(settings: Settings) -> None:
    """Say what is missing here, and how to get it."""
    findings = list(_examine(settings))
    for finding in findings:
        mark = click.style("✗", fg="red") if finding.remedy else click.style("✓", fg="green")
        click.echo(f"{mark} {finding.what:20} {finding.seen}")
        if finding.remedy:
            click.echo(f"    {finding.remedy}")
    if any(finding.remedy for finding in findings):
        sys.exit(ExitCode.INTERNAL)


def _examine(settings: Settings) -> Iterator[Finding]:
    yield _examine_python()
    yield from map(_examine_library, LIBRARIES)
    yield _examine_content(settings.content)
    yield _examine_state(settings.state)
    yield from _examine_lab()


def _examine_python() -> Finding:
    seen = ".".join(map(str, sys.version_info[:3]))
    remedy = "" if sys.version_info >= OLDEST_PYTHON else "use Python 3.11 or later"
    return Finding("Python", seen, remedy)


def _examine_library(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "missing", "run `make setup`")


def _examine_content(content: Path) -> Finding:
    if (content / "playbooks").is_dir():
        return Finding("content", str(content))
    remedy = "go to the folder with playbooks/, or give --content DIR or RECOVER_CONTENT"
    return Finding("content", f"no playbooks/ in {content}", remedy)


def _examine_state(state: Path) -> Finding:
    nearest = next(p for p in (state, *state.parents) if p.exists())
    if os.access(nearest, os.W_OK):
        return Finding("state", str(state))
    return Finding("state", f"{nearest} is not writable", "give --state DIR or RECOVER_STATE")


def _examine_lab() -> Iterator[Finding]:
    from orchestrator.lab import requirements
    from orchestrator.lab.errors import LabError

    for what, check, remedy in (
        ("lab packages", requirements.require_packages, ""),
        (
            "lab namespaces",
            requirements.require_namespaces,
            "`recover lab up` builds the loopback lab instead; as root the full one",
        ),
    ):
        try:
            check()
        except LabError as error:
            yield Finding(what, str(error), remedy or "run `make setup` as root")
        else:
            yield Finding(what, "there")
