"""Following a run on a terminal: replay, then every event as it happens; signing at the prompt."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from orchestrator.domain.canonical import plain
from orchestrator.domain.checklist import ItemName, PersonName
from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.run import Entry, ExitCode, GateWaits, RunEnded
from orchestrator.domain.verdict import Verdict
from orchestrator.interfaces.closing import closing_words
from orchestrator.interfaces.columns import printable, wrapped
from orchestrator.interfaces.progress import ProgressLine
from orchestrator.interfaces.telling import Teller

if TYPE_CHECKING:
    from orchestrator.interfaces.desk import RunDesk

BETWEEN_GLANCES = timedelta(milliseconds=50)


def follow(desk: RunDesk) -> ExitCode:
    """Print the run until nothing more will happen by itself, and return its exit code.

    Ctrl-C leaves the run alone.
    """
    try:
        _tell(desk)
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo(f"\ndetached; the run goes on. See it again: recover attach {desk.run}")
        return ExitCode.UNKNOWN
    return _close(desk)


def follow_as_json(desk: RunDesk) -> ExitCode:
    """Print each entry as a line of JSON until nothing more will happen by itself."""
    for entry in _entries(desk, ProgressLine(is_shown=False)):
        value = {
            "seq": entry.seq,
            "at": plain(entry.at),
            "kind": type(entry.event).__name__,
            "event": plain(entry.event),
        }
        click.echo(json.dumps(value, ensure_ascii=False))
    return desk.exit_code()


def _tell(desk: RunDesk) -> None:
    teller = Teller(plan=desk.plan)
    progress = ProgressLine(is_shown=sys.stdout.isatty())
    for entry in _entries(desk, progress):
        for line in teller.tell(entry):
            click.echo(line)
        progress.begin(teller.doing, desk.clock.monotonic())
        if isinstance(entry.event, GateWaits) and sys.stdin.isatty() and desk.is_driven():
            _ask_here(desk)


def _entries(desk: RunDesk, progress: ProgressLine) -> Iterator[Entry]:
    """Yield every entry from the first on; end when there will be no more."""
    after = 0
    while True:
        is_driven = desk.is_driven()
        entries = desk.entries(after=after)
        if entries:
            progress.clear()
            yield from entries
            after = entries[-1].seq
            if isinstance(entries[-1].event, RunEnded):
                return
        elif not is_driven:
            return
        else:
            progress.show(desk.clock.monotonic())
            desk.clock.pause(BETWEEN_GLANCES)


def _ask_here(desk: RunDesk) -> None:
    """Offer to sign at this prompt; who does not want to, signs elsewhere."""
    for item in desk.items_that_wait():
        _show_question(desk, item)
        name = click.prompt(
            "  signed by (empty: somebody signs elsewhere)", default="", show_default=False
        )
        if not name:
            return
        verdict = Verdict.PASSED if click.confirm("  yes?") else Verdict.FAILED
        try:
            desk.sign(item, by=PersonName(name), verdict=verdict, comment="")
        except RequestRefused as error:
            click.secho(f"  not counted: {error}", fg="yellow")


def _show_question(desk: RunDesk, item: ItemName) -> None:
    question = desk.question(item)
    click.echo()
    for line in wrapped(printable(f"{item}: {question.ask}")):
        click.secho(line, bold=True)
    for line in wrapped(printable(question.why), "  ", "  "):
        click.echo(line)


def _close(desk: RunDesk) -> ExitCode:
    if not desk.is_at_rest():
        click.echo(f"\nrun {desk.run} has no driver and has not ended")
        for line in desk.last_words():
            click.echo(f"  {printable(line)}")
        click.echo(f"let it go on: recover resume {desk.run}")
        return ExitCode.UNKNOWN
    for line in closing_words(desk.recount(), _written_report(desk)):
        click.echo(line)
    return desk.exit_code()


def _written_report(desk: RunDesk) -> str:
    try:
        return str(desk.write_report())
    except OSError as error:
        return f"not written ({error.strerror}); recover report {desk.run} -o FILE"
