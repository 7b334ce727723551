"""``recover watch``: a synthetic user who is at work in peace, so that a fault has a witness."""

from __future__ import annotations

import json
import sys

import click

from orchestrator.domain.run import ExitCode
from orchestrator.interfaces.asking import chosen_environment, environment_option
from orchestrator.settings import Settings


@click.group()
def watch() -> None:
    """Watch a service in peace, so that a run that starts after a fault knows what was before."""


@watch.command()
@environment_option
@click.pass_obj
def start(settings: Settings, environment: str | None) -> None:
    """Start the standing watch on the client host, or find it running."""
    from orchestrator.bootstrap.watching import standing_watch

    with standing_watch(settings, chosen_environment(settings, environment)) as standing:
        was_there = standing.start()
    click.echo("a standing watch was at work already" if was_there else "a standing watch began")


@watch.command()
@environment_option
@click.option("--output", "-o", type=click.Choice(["table", "json"]), default="table")
@click.pass_obj
def status(settings: Settings, environment: str | None, output: str) -> None:
    """Say whether the standing watch is at work; exit 5 if somebody has to start it."""
    from orchestrator.adapters.reports.words import duration
    from orchestrator.bootstrap.watching import standing_watch
    from orchestrator.domain.canonical import plain

    with standing_watch(settings, chosen_environment(settings, environment)) as standing:
        seen = standing.status()
    silent_s = seen.silent_for.total_seconds() if seen.silent_for else None
    if output == "json":
        click.echo(json.dumps(plain(seen)))
    elif seen.is_running:
        click.echo(f"at work; its last sign was {duration(silent_s)} ago")
    else:
        click.echo(f"gone; its last sign was {duration(silent_s)} ago: recover watch start")
    if not seen.is_running:
        sys.exit(ExitCode.HANDS_NEEDED)


@watch.command()
@environment_option
@click.pass_obj
def stop(settings: Settings, environment: str | None) -> None:
    """Stop the standing watch."""
    from orchestrator.bootstrap.watching import standing_watch

    with standing_watch(settings, chosen_environment(settings, environment)) as standing:
        was_there = standing.stop()
    click.echo("the standing watch has ended" if was_there else "no standing watch was at work")
