"""The journal in SQLite: what only the real one can show."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.journal_sqlite import GENESIS, SqliteJournal, link_of
from orchestrator.adapters.plain_values import event_to_text
from orchestrator.domain.errors import JournalBroken
from orchestrator.domain.run import RunId
from tests.support.builders import NOON, RUN, finished, intended
from tests.support.fakes import FakeClock
from tests.support.waiting import wait_until

WRITER = """
import sys
from pathlib import Path
from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.adapters.system import SystemClock
from orchestrator.domain.errors import JournalConflict
from orchestrator.domain.playbook import StepName
from orchestrator.domain.run import RunId, StepIntended

journal, name = SqliteJournal(Path(sys.argv[1]), SystemClock()), sys.argv[2]
for number in range(int(sys.argv[3])):
    while True:
        newest = len(journal.read(RunId("r")))
        event = StepIntended(step=StepName(f"{name}-{number}"), attempt=1)
        try:
            journal.append(RunId("r"), after=newest, events=[event])
        except JournalConflict:
            continue
        print(number, flush=True)
        break
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


def _start_writer(file: Path, name: str, entries: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file), name, str(entries)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_entries_are_there_when_the_file_is_opened_again(file: Path) -> None:
    written = SqliteJournal(file, FakeClock()).append(
        RUN, after=0, events=[intended("a"), finished("a")]
    )

    assert list(SqliteJournal(file, FakeClock()).read(RUN)) == list(written)


def test_processes_that_open_a_new_journal_at_once_all_get_through(file: Path) -> None:
    writers = [_start_writer(file, f"w{number}", 25) for number in range(4)]

    outputs = [writer.communicate(timeout=60)[0] for writer in writers]

    assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
    assert [len(output.splitlines()) for output in outputs] == [25, 25, 25, 25]
    entries = SqliteJournal(file, FakeClock()).read(RunId("r"))
    assert [entry.seq for entry in entries] == list(range(1, 101))


def test_what_was_acknowledged_survives_a_killed_writer(file: Path) -> None:
    with _start_writer(file, "w", 100_000) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = 20 + len(writer.stdout.read().splitlines())

    entries = SqliteJournal(file, FakeClock()).read(RunId("r"))
    assert len(entries) >= acknowledged
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


def test_each_entry_is_chained_to_the_one_before(file: Path) -> None:
    journal = SqliteJournal(file, FakeClock())
    journal.append(RUN, after=0, events=[intended("a")])
    first, second = journal.append(RUN, after=1, events=[finished("a")])[0], journal.read(RUN)[0]

    kind, text = event_to_text(intended("a"))
    body = "\n".join((GENESIS, RUN, "1", NOON.isoformat(), kind, text))
    assert second.link == hashlib.sha256(body.encode()).hexdigest()
    kind, text = event_to_text(finished("a"))
    assert first.link == link_of(second.link, RUN, 2, NOON.isoformat(), kind, text)


def test_first_error_of_the_disk_is_final(file: Path) -> None:
    journal = SqliteJournal(file, FakeClock())
    journal.append(RUN, after=0, events=[intended("a")])
    with sqlite3.connect(file) as vandal:
        vandal.execute("alter table entry rename to gone")
    vandal.close()
    with pytest.raises(JournalBroken, match="no such table"):
        journal.append(RUN, after=1, events=[finished("a")])
    with sqlite3.connect(file) as repairer:
        repairer.execute("alter table gone rename to entry")
    repairer.close()

    with pytest.raises(JournalBroken, match="failed before and is not trusted"):
        journal.append(RUN, after=1, events=[finished("a")])

    assert [entry.event for entry in journal.read(RUN)] == [intended("a")]


def test_full_disk_breaks_the_journal_and_loses_nothing(file: Path) -> None:
    journal = SqliteJournal(file, FakeClock())
    journal.append(RUN, after=0, events=[intended("a")])
    pages = journal._connection().execute("pragma page_count").fetchone()[0]
    journal._connection().execute(f"pragma max_page_count={pages}")

    with pytest.raises(JournalBroken, match="full"):
        journal.append(RUN, after=1, events=[intended("b" * 100_000)])

    assert [entry.event for entry in journal.read(RUN)] == [intended("a")]
    assert len(SqliteJournal(file, FakeClock()).read(RUN)) == 1


def test_journal_that_cannot_be_opened_is_broken(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"this is no database, and never was one" * 100)

    with pytest.raises(JournalBroken, match="not a database"):
        SqliteJournal(tmp_path / "journal.sqlite", FakeClock()).read(RUN)


def test_state_folder_is_for_its_owner_only(file: Path) -> None:
    SqliteJournal(file, FakeClock()).runs()

    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_runs_are_listed_newest_first(file: Path) -> None:
    clock = FakeClock()
    journal = SqliteJournal(file, clock)
    for run in ("r-b", "r-a", "r-c"):
        journal.append(RunId(run), after=0, events=[intended("a")])
        clock.advance(timedelta(seconds=1))

    assert journal.runs() == ["r-c", "r-a", "r-b"]


def test_locks_are_listed_with_their_holders(file: Path) -> None:
    journal = SqliteJournal(file, FakeClock())

    journal.take(["orders-db", "cache"], run=RUN, holder="ada")

    assert journal.locks() == [("cache", RUN, "ada", NOON), ("orders-db", RUN, "ada", NOON)]


def test_writer_waits_for_another_instead_of_failing(file: Path) -> None:
    journal = SqliteJournal(file, FakeClock())
    journal.append(RUN, after=0, events=[intended("a")])
    with _start_writer(file, "w", 300) as writer:
        wait_until(lambda: len(journal.read(RunId("r"))) > 0, "the other process writes")
        for number in range(1, 100):
            journal.append(RUN, after=number, events=[intended("b")])
        writer.communicate(timeout=60)

    assert writer.returncode == 0
    assert len(journal.read(RUN)) == 100
