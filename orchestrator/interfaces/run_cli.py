"""Planning, starting and following runs."""

from __future__ import annotations

import sys

import click

from orchestrator.interfaces.asking import (
    as_option,
    chosen_environment,
    environment_option,
    output_option,
    parameters,
    person,
    require_confirmation,
    set_option,
)
from orchestrator.interfaces.listing import print_rows
from orchestrator.settings import Settings


@click.command()
@click.argument("playbook")
@environment_option
@set_option
@output_option
@click.pass_obj
def plan(
    settings: Settings,
    playbook: str,
    environment: str | None,
    assignments: tuple[str, ...],
    output: str,
) -> None:
    """Print what a run of PLAYBOOK would do now, on which host, and how it is taken back."""
    from orchestrator.bootstrap import plans
    from orchestrator.interfaces.plan_words import plan_as_text

    where = chosen_environment(settings, environment)
    made, _ = plans.make_plan_now(settings, playbook, where, parameters(assignments))
    if output == "table":
        click.echo(plan_as_text(made))
    else:
        click.echo(plans.plan_as_json(made))


@click.command()
@click.argument("playbook")
@environment_option
@set_option
@as_option
@click.option("--confirm", metavar="NAME", help="The service that is recovered, typed out.")
@click.option("--reason", default="", help="Why; it goes into the report.")
@click.option("--detach", is_flag=True, help="Start it, print its name, and leave.")
@click.pass_obj
def run(
    settings: Settings,
    playbook: str,
    environment: str | None,
    assignments: tuple[str, ...],
    name: str | None,
    confirm: str | None,
    reason: str,
    detach: bool,  # noqa: FBT001 - click passes flags by name
) -> None:
    """Carry PLAYBOOK out, live. Ctrl-C leaves it running; `recover abort` stops it."""
    from orchestrator.bootstrap import plans, runs
    from orchestrator.interfaces.desk import RunDesk
    from orchestrator.interfaces.following import follow
    from orchestrator.interfaces.plan_words import plan_summary

    where = chosen_environment(settings, environment)
    made, files = plans.make_plan_now(settings, playbook, where, parameters(assignments))
    if not detach:
        click.echo(plan_summary(made))
    require_confirmation(confirm, made.resources)
    created = runs.create_run(settings, made, files, requester=person(name), reason=reason)
    desk = RunDesk(settings, created)
    desk.start_driver()
    if detach:
        click.echo(desk.run)
        return
    sys.exit(follow(desk))


@click.command()
@click.argument("run")
@output_option
@click.pass_obj
def attach(settings: Settings, run: str, output: str) -> None:
    """Replay RUN from its start and follow it to its end. `latest` names the newest run."""
    from orchestrator.interfaces.desk import RunDesk
    from orchestrator.interfaces.following import follow, follow_as_json

    desk = RunDesk(settings, run)
    sys.exit(follow(desk) if output == "table" else follow_as_json(desk))


@click.command()
@output_option
@click.pass_obj
def runs(settings: Settings, output: str) -> None:
    """List runs, the newest first."""
    from dataclasses import asdict

    from orchestrator.interfaces.run_rows import all_runs, runs_as_table

    rows = tuple(all_runs(settings))
    lines = runs_as_table(rows) if rows else ("no run yet",)
    print_rows([asdict(row) for row in rows], output, tuple(lines))
