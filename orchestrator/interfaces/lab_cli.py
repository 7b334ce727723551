"""``recover lab``: a disposable environment of real hosts on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from orchestrator.domain.run import ExitCode
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from orchestrator.lab.status import LabStatus


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


def _print(status: LabStatus) -> None:
    click.echo(f"{status.kind} lab" + (f", environment {status.environment}" * bool(status.hosts)))
    for host in status.hosts:
        colour = "green" if host.state == "up" else "red"
        state = click.style(f"{host.state:5}", fg=colour)
        runs = ", ".join(host.runs)
        click.echo(f"  {host.name:9} {host.site:7} {state} {host.addresses[0]:13} {runs}")
    for problem in status.problems:
        click.secho(f"  ! {problem}", fg="yellow")
