"""Runs that never were, kept in a state directory as if a driver had written them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.adapters.run_folder import RunFolder
from orchestrator.domain.canonical import plain
from orchestrator.domain.observation import Measurement
from orchestrator.domain.run import Entry, Event, Measured, RunEnded, RunHeld, RunId
from tests.support.builders import NOON
from tests.support.stories import Story


class TellingClock:
    """Stands at the time that it is told."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0

    def pause(self, duration: timedelta) -> None:
        raise AssertionError(f"nobody may wait {duration} here")


def keep_run(state: Path, story: Story, run: str = "r-20260102-1") -> RunId:
    """Write the journal and the folder of *story* below *state* as the run *run*."""
    name = RunId(run)
    clock = TellingClock()
    journal = SqliteJournal(state / "journal.sqlite3", clock)
    for seq, (at, event) in enumerate(_told(story)):
        clock.at = at
        journal.append(name, after=seq, events=[event])
    folder = RunFolder(state, name)
    folder.freeze(story.plan, {})
    (folder.path / "driver.lock").touch()
    return name


def _told(story: Story) -> Iterable[tuple[datetime, Event]]:
    measurement = story.measurement
    for entry in story.entries:
        if measurement and isinstance(entry.event, RunEnded | RunHeld):
            yield entry.at, _measured(measurement)
        yield entry.at, entry.event


def _measured(measurement: Measurement) -> Measured:
    told = plain(measurement)
    assert isinstance(told, dict)
    return Measured(measurement=told, samples_file="samples.jsonl")


def last_of(entries: Iterable[Entry]) -> Event:
    """Return the newest event."""
    return tuple(entries)[-1].event
