"""Following a run on a terminal: replay, then every event as it happens; signing at the prompt."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from orchestrator.domain.canonical import plain
from orchestrator.domain.checklist import PersonName
from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.run import Entry, ExitCode, GateWaits, RunEnded, RunHeld
from orchestrator.domain.verdict import Verdict
from orchestrator.interfaces.telling import Teller, closing_words

if TYPE_CHECKING:
    from orchestrator.interfaces.desk import RunDesk

BETWEEN_GLANCES = timedelta(milliseconds=50)


def follow(desk: RunDesk) -> ExitCode:
    """Print the run until it ends or is held, and return its exit code.

    Ctrl-C leaves the run alone.
    """
    teller = Teller(plan=desk.plan)
    try:
        for entry in _entries(desk):
            for line in teller.tell(entry):
                click.echo(line)
            if isinstance(entry.event, GateWaits) and sys.stdin.isatty():
                _ask_here(desk)
            if isinstance(entry.event, RunEnded | RunHeld):
                return _close(desk, entry)
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo(f"\ndetached; the run goes on. recover attach {desk.run}")
        return ExitCode.UNKNOWN
    click.echo(f"run {desk.run} has no driver and has not ended: recover resume {desk.run}")
    return ExitCode.UNKNOWN


def follow_as_json(desk: RunDesk) -> ExitCode:
    """Print each entry as a line of JSON until the run ends or is held."""
    for entry in _entries(desk):
        kind = type(entry.event).__name__
        value = {
            "seq": entry.seq,
            "at": plain(entry.at),
            "kind": kind,
            "event": plain(entry.event),
        }
        click.echo(json.dumps(value, ensure_ascii=False))
        if isinstance(entry.event, RunEnded | RunHeld):
            return entry.event.exit_code
    return ExitCode.UNKNOWN


def _entries(desk: RunDesk) -> Iterator[Entry]:
    """Yield every entry from the first on; end when there will be no more."""
    after = 0
    while True:
        is_driven = desk.is_driven()
        entries = desk.entries(after=after)
        yield from entries
        if entries:
            after = entries[-1].seq
        elif not is_driven:
            return
        else:
            desk.clock.pause(BETWEEN_GLANCES)


def _ask_here(desk: RunDesk) -> None:
    """Offer to sign at this prompt; who does not want to, signs elsewhere."""
    for item in desk.items_that_wait():
        question = desk.question(item)
        click.echo(f"\n{click.style(item, bold=True)}: {question.ask}")
        if question.why:
            click.echo(f"  {question.why}")
        name = click.prompt("  signed by (empty: somebody signs elsewhere)", default="")
        if not name:
            return
        verdict = Verdict.PASSED if click.confirm("  yes?") else Verdict.FAILED
        try:
            desk.sign(item, by=PersonName(name), verdict=verdict, comment="")
        except RequestRefused as error:
            click.secho(f"  not counted: {error}", fg="yellow")


def _close(desk: RunDesk, entry: Entry) -> ExitCode:
    event = entry.event
    if not isinstance(event, RunEnded | RunHeld):
        raise TypeError("only an end closes a run")
    for line in closing_words(entry, str(desk.write_report())):
        click.echo(line)
    return event.exit_code
