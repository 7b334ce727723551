"""What people say to a run: sign, waive, abort, retry, resume; and who holds which lock."""

from __future__ import annotations

from datetime import timedelta

import click

from orchestrator.domain.verdict import Verdict
from orchestrator.interfaces.asking import as_option, output_option, person
from orchestrator.interfaces.columns import table
from orchestrator.interfaces.listing import print_rows
from orchestrator.settings import Settings

_reason = click.option("--reason", required=True, help="Why; it goes into the report.")
_comment = click.option("--comment", default="", help="In your words; it goes into the report.")


@click.command()
@click.argument("run")
@click.argument("item", required=False)
@as_option
@click.option("--no", "verdict", flag_value=Verdict.FAILED, help="The run must not go on.")
@click.option("--yes", "verdict", flag_value=Verdict.PASSED, default=True, help="It may.")
@_comment
@click.option(
    "--wait", type=float, default=0, metavar="SECONDS", help="Wait until the run asks for it."
)
@click.pass_obj
def sign(
    settings: Settings,
    run: str,
    item: str | None,
    name: str | None,
    verdict: str,
    comment: str,
    wait: float,
) -> None:
    """Answer ITEM of the gate at which RUN waits; without ITEM, all that wait for your role."""
    from orchestrator.interfaces.desk import RunDesk

    desk = RunDesk(settings, run)
    by = person(name)
    desk.await_question(timedelta(seconds=wait))
    for each in [item] if item else desk.items_for(by):
        desk.sign(each, by=by, verdict=Verdict(verdict), comment=comment)
        click.echo(f"{each}: {'yes' if verdict == Verdict.PASSED else 'no'}, {by}")


@click.command()
@click.argument("run")
@click.argument("item")
@as_option
@_reason
@click.pass_obj
def waive(settings: Settings, run: str, item: str, name: str | None, reason: str) -> None:
    """Let RUN go on without the soft ITEM. The report says who, and why."""
    from orchestrator.interfaces.desk import RunDesk

    RunDesk(settings, run).waive(item, by=person(name), reason=reason)
    click.echo(f"{item}: waived, {person(name)}")


@click.command()
@click.argument("run")
@as_option
@_reason
@click.pass_obj
def abort(settings: Settings, run: str, name: str | None, reason: str) -> None:
    """Stop RUN: no new change; before the point of no return all is taken back."""
    from orchestrator.interfaces.desk import RunDesk

    RunDesk(settings, run).abort(by=person(name), reason=reason)
    click.echo(f"abort noted; `recover attach {run}` shows what comes of it")


@click.command()
@click.argument("run")
@click.argument("step")
@as_option
@_reason
@click.pass_obj
def retry(settings: Settings, run: str, step: str, name: str | None, reason: str) -> None:
    """Let a held RUN try its failed STEP again, and go on."""
    from orchestrator.interfaces.desk import RunDesk

    desk = RunDesk(settings, run)
    desk.retry(step, by=person(name), reason=reason)
    desk.start_driver()
    click.echo(f"run {run} goes on; `recover attach {run}` shows it")


@click.command()
@click.argument("run")
@click.pass_obj
def resume(settings: Settings, run: str) -> None:
    """Let RUN go on, if its driver died or what held it was mended."""
    from orchestrator.interfaces.desk import RunDesk

    RunDesk(settings, run).start_driver()
    click.echo(f"run {run} goes on; `recover attach {run}` shows it")


@click.command()
@output_option
@click.pass_obj
def locks(settings: Settings, output: str) -> None:
    """Show which resources are locked, by which run, and by whom."""
    from orchestrator.bootstrap import runs

    held = runs.open_journal(settings).locks()
    rows = [
        {"resource": resource, "run": run, "holder": holder, "since": since.isoformat()}
        for resource, run, holder, since in held
    ]
    cells = [
        (resource, run, holder, f"{since.astimezone():%Y-%m-%d %H:%M:%S}")
        for resource, run, holder, since in held
    ]
    lines = list(table(("RESOURCE", "RUN", "HELD BY", "SINCE"), cells))
    print_rows(rows, output, lines if rows else ["nothing is locked"])
