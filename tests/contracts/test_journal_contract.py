"""What every journal owes the engine: the fake of the scenarios, and SQLite."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest

from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.domain.errors import JournalConflict, ResourceLocked
from orchestrator.domain.run import (
    Entry,
    Event,
    ExitCode,
    RunEnded,
    RunId,
    StepIntended,
)
from orchestrator.domain.verdict import Verdict
from tests.support.builders import RUN, finished, intended, some_evidence
from tests.support.fakes import FakeClock, FakeJournal

OTHER = RunId("r-other")
ENDED = RunEnded(verdict=Verdict.PASSED, exit_code=ExitCode.VERIFIED, summary="done")


class JournalWithLocks(Protocol):
    """Both ports on one store."""

    def append(self, run: RunId, *, after: int, events: Sequence[Event]) -> Sequence[Entry]: ...
    def read(self, run: RunId, *, after: int = 0) -> Sequence[Entry]: ...
    def take(self, resources: Sequence[str], *, run: RunId, holder: str) -> None: ...
    def release(self, run: RunId) -> None: ...


def _fake(_folder: Path) -> JournalWithLocks:
    return FakeJournal(FakeClock())


def _sqlite(folder: Path) -> JournalWithLocks:
    return SqliteJournal(folder / "journal.sqlite", FakeClock())


@pytest.fixture(params=[pytest.param(_fake, id="fake"), pytest.param(_sqlite, id="sqlite")])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> JournalWithLocks:
    make: Callable[[Path], JournalWithLocks] = request.param
    return make(tmp_path)


def test_entries_are_numbered_from_one_without_holes(journal: JournalWithLocks) -> None:
    journal.append(RUN, after=0, events=[intended("a"), finished("a")])
    journal.append(RUN, after=2, events=[intended("b")])

    assert [entry.seq for entry in journal.read(RUN)] == [1, 2, 3]


def test_append_returns_what_reading_returns(journal: JournalWithLocks) -> None:
    told = finished("a", evidence=some_evidence(summary="Primärrolle 主库"))

    written = journal.append(RUN, after=0, events=[intended("a"), told])

    assert list(journal.read(RUN)) == list(written)
    assert [entry.event for entry in written] == [intended("a"), told]


def test_reading_begins_behind_the_given_number(journal: JournalWithLocks) -> None:
    journal.append(RUN, after=0, events=[intended("a"), intended("b"), intended("c")])

    assert [entry.event for entry in journal.read(RUN, after=1)] == [intended("b"), intended("c")]


def test_run_without_entries_reads_as_empty(journal: JournalWithLocks) -> None:
    assert list(journal.read(RUN)) == []


def test_runs_do_not_see_each_other(journal: JournalWithLocks) -> None:
    journal.append(RUN, after=0, events=[intended("a")])
    journal.append(OTHER, after=0, events=[intended("b")])

    assert [entry.event for entry in journal.read(OTHER)] == [intended("b")]


@pytest.mark.parametrize(
    "after", [pytest.param(0, id="behind the newest"), pytest.param(2, id="beyond the newest")]
)
def test_append_to_a_journal_that_has_moved_on_writes_nothing(
    journal: JournalWithLocks, after: int
) -> None:
    journal.append(RUN, after=0, events=[intended("a")])

    with pytest.raises(JournalConflict):
        journal.append(RUN, after=after, events=[intended("b"), intended("c")])

    assert [entry.event for entry in journal.read(RUN)] == [intended("a")]


def test_journal_takes_the_next_append_after_a_conflict(journal: JournalWithLocks) -> None:
    journal.append(RUN, after=0, events=[intended("a")])
    with pytest.raises(JournalConflict):
        journal.append(RUN, after=0, events=[intended("b")])

    journal.append(RUN, after=1, events=[intended("c")])

    assert [entry.event for entry in journal.read(RUN)] == [intended("a"), intended("c")]


def test_one_of_many_writers_at_once_wins_each_number(journal: JournalWithLocks) -> None:
    writers, rounds = 4, 20
    all_ready = threading.Barrier(writers)

    def write(writer: int) -> None:
        all_ready.wait()
        for number in range(rounds):
            _append_behind_newest(journal, f"step-{writer}-{number}")

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))

    entries = journal.read(RUN)
    assert [entry.seq for entry in entries] == list(range(1, writers * rounds + 1))
    steps = {e.event.step for e in entries if isinstance(e.event, StepIntended)}
    assert len(steps) == writers * rounds


def test_locked_resource_names_its_holder(journal: JournalWithLocks) -> None:
    journal.take(["orders-db"], run=RUN, holder="ada")

    with pytest.raises(ResourceLocked, match=r"orders-db is locked by ada with run r-2026"):
        journal.take(["orders-db"], run=OTHER, holder="lin")


def test_locks_are_taken_all_or_none(journal: JournalWithLocks) -> None:
    journal.take(["orders-db"], run=RUN, holder="ada")
    with pytest.raises(ResourceLocked):
        journal.take(["cache", "orders-db"], run=OTHER, holder="lin")

    journal.take(["cache"], run=RUN, holder="ada")


def test_lock_taken_twice_by_its_own_run_is_one_lock(journal: JournalWithLocks) -> None:
    journal.take(["orders-db"], run=RUN, holder="ada")
    journal.take(["orders-db"], run=RUN, holder="ada")
    journal.release(RUN)

    journal.take(["orders-db"], run=OTHER, holder="lin")


def test_release_gives_back_only_what_the_run_holds(journal: JournalWithLocks) -> None:
    journal.take(["orders-db"], run=RUN, holder="ada")
    journal.take(["cache"], run=OTHER, holder="lin")

    journal.release(RUN)

    with pytest.raises(ResourceLocked, match="lin"):
        journal.take(["cache"], run=RUN, holder="ada")


def test_run_that_has_ended_holds_nothing(journal: JournalWithLocks) -> None:
    journal.take(["orders-db"], run=RUN, holder="ada")
    journal.append(RUN, after=0, events=[ENDED])

    journal.take(["orders-db"], run=OTHER, holder="lin")

    with pytest.raises(ResourceLocked, match="lin"):
        journal.take(["orders-db"], run=RunId("r-third"), holder="ada")


def test_only_one_of_many_takers_at_once_gets_the_lock(journal: JournalWithLocks) -> None:
    takers = 8
    all_ready = threading.Barrier(takers)

    def take(number: int) -> bool:
        all_ready.wait()
        try:
            journal.take(["a", "b"], run=RunId(f"r-{number}"), holder=f"person-{number}")
        except ResourceLocked:
            return False
        return True

    with ThreadPoolExecutor(takers) as pool:
        got = list(pool.map(take, range(takers)))

    assert got.count(True) == 1


def _append_behind_newest(journal: JournalWithLocks, step: str) -> None:
    while True:
        newest = len(journal.read(RUN))
        try:
            journal.append(RUN, after=newest, events=[intended(step)])
        except JournalConflict:
            continue
        return
