"""``recover lab``: a disposable environment of real hosts on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from orchestrator.domain.run import ExitCode
from orchestrator.interfaces.columns import printable, table, wrapped
from orchestrator.lab.status import NO_LAB, LabStatus
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from orchestrator.lab.faults.fault import Fault
    from orchestrator.lab.faults.force import InForce


@click.group()
def lab() -> None:
    """A disposable environment of real hosts on this machine, to drill in."""


@lab.command()
@click.pass_obj
def up(settings: Settings) -> None:
    """Bring the lab up, or say what is up already."""
    from orchestrator.lab import lifecycle

    seen = lifecycle.up(settings.lab, click.echo)
    settings.chosen_environment.write_text(f"{seen.environment}\n")
    _print(seen)
    if seen.problems:
        sys.exit(ExitCode.INTERNAL)


@lab.command()
@click.option("--output", "-o", type=click.Choice(["table", "json"]), default="table")
@click.pass_obj
def status(settings: Settings, output: str) -> None:
    """Look at the lab."""
    from orchestrator.lab import lifecycle

    seen = lifecycle.status(settings.lab)
    if output == "json":
        import json
        from dataclasses import asdict

        click.echo(json.dumps(asdict(seen)))
    else:
        _print(seen)


@lab.command()
@click.pass_obj
def down(settings: Settings) -> None:
    """Take the lab down; nothing of it is left."""
    from orchestrator.lab import lifecycle

    lifecycle.down(settings.lab, click.echo)
    settings.chosen_environment.unlink(missing_ok=True)


@lab.command()
@click.argument("host")
@click.pass_obj
def shell(settings: Settings, host: str) -> None:
    """Log in to HOST, as the playbooks do."""
    from orchestrator.lab import lifecycle

    lifecycle.shell(settings.lab, host)


@lab.command("break")
@click.argument("fault")
@click.option("--on", "host", default="", metavar="HOST", help="Else where the fault is for.")
@click.pass_obj
def break_(settings: Settings, fault: str, host: str) -> None:
    """Make FAULT happen, and see that it did."""
    from orchestrator.lab.faults import breaking

    breaking.break_lab(settings.lab, fault, host, click.echo)


@lab.command()
@click.argument("fault", default="")
@click.pass_obj
def heal(settings: Settings, fault: str) -> None:
    """Heal FAULT, or all of them, the last one first.

    A server that was replaced meanwhile stays down: it needs database-reprotect.
    """
    from orchestrator.lab.faults import breaking

    breaking.heal_lab(settings.lab, fault, click.echo)


@lab.command()
def faults() -> None:
    """List what can be broken, and what is broken now."""
    from orchestrator.lab.faults.breaking import FAULTS
    from orchestrator.lab.faults.force import faults_in_force

    for line in fault_lines(FAULTS.values(), faults_in_force()):
        click.echo(line)


def fault_lines(known: Iterable[Fault], in_force: Sequence[InForce]) -> Iterator[str]:
    """Yield each fault with where it strikes if nobody says another host."""
    cells = [(fault.name, fault.where, fault.what) for fault in known]
    yield from table(("FAULT", "ON", "WHAT HAPPENS"), cells)
    yield ""
    yield "in force:" if in_force else "none is in force"
    for entry in in_force:
        yield f"  {entry}"


def status_lines(status: LabStatus) -> Iterator[str]:
    """Yield what is up, host by host, and what is wrong with it."""
    if status == NO_LAB:
        yield "no lab is up; `recover lab up` brings one up"
        return
    yield f"{status.kind} lab, environment {status.environment}"
    cells = [
        (host.name, host.site, host.state, host.addresses[0], ", ".join(host.runs))
        for host in status.hosts
    ]
    for line in table(("HOST", "SITE", "STATE", "ADDRESS", "RUNS"), cells):
        yield f"  {line}"
    for fault in status.faults:
        yield click.style(f"  ✗ {fault}", fg="magenta")
    for problem in status.problems:
        for line in wrapped(printable(problem), "  ! ", "    "):
            yield click.style(line, fg="yellow")


def _print(status: LabStatus) -> None:
    for line in status_lines(status):
        click.echo(line)
