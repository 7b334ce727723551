"""The journal in SQLite: append-only, hash-chained, one writer at a time, durable per append.

Source of the settings: WAL with ``synchronous=FULL`` loses no acknowledged commit on a power
cut; a deferred transaction that is upgraded fails at once as "locked", hence IMMEDIATE; after a
failed commit SQLite may acknowledge the next ones, hence the first error is final.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from orchestrator.adapters.plain_values import event_from_text, event_to_text
from orchestrator.domain.errors import JournalBroken, JournalConflict, ResourceLocked
from orchestrator.domain.run import Entry, Event, RunId
from orchestrator.engine.ports import Clock

BUSY_LIMIT_S = 10.0
GENESIS = "0" * 64

_SCHEMA_VERSION = 1
_SCHEMA = f"""
create table if not exists entry (
  run text not null, seq integer not null, at text not null,
  kind text not null, event text not null, link text not null,
  primary key (run, seq)
) without rowid;
create table if not exists resource_lock (
  resource text primary key, run text not null, holder text not null, since text not null
) without rowid;
pragma user_version = {_SCHEMA_VERSION};
"""
_NEWEST = "select seq, link from entry where run = ? order by seq desc limit 1"
_INSERT = "insert into entry (run, seq, at, kind, event, link) values (?, ?, ?, ?, ?, ?)"
_READ = "select seq, at, kind, event, link from entry where run = ? and seq > ? order by seq"
_OF_NO_ENDED_RUN = "run not in (select run from entry where kind = 'RunEnded')"
_HOLDER = f"""
select run, holder, since from resource_lock where resource = ? and run <> ?
and {_OF_NO_ENDED_RUN}
"""  # noqa: S608 - a constant
_LOCKS = f"""
select resource, run, holder, since from resource_lock where {_OF_NO_ENDED_RUN}
order by resource
"""  # noqa: S608 - a constant
_RUNS = "select run from entry where seq = 1 order by at desc, run desc"


class SqliteJournal:
    """Satisfies the ports ``Journal`` and ``Locks`` on one file."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._of_thread = threading.local()
        self._failure = ""

    def append(self, run: RunId, *, after: int, events: Sequence[Event]) -> Sequence[Entry]:
        """Write *events* behind entry number *after*, durably and all together."""
        with self._writing() as connection:
            newest = connection.execute(_NEWEST, (run,)).fetchone() or (0, GENESIS)
            seq, link = newest
            if seq != after:
                raise JournalConflict(f"run {run}: entry {after} is not the newest, {seq} is")
            entries = []
            for event in events:
                entry, row = self._link(run, seq + 1, event, link)
                connection.execute(_INSERT, row)
                entries.append(entry)
                seq, link = entry.seq, entry.link
            return entries

    def read(self, run: RunId, *, after: int = 0) -> Sequence[Entry]:
        """Return every entry behind number *after*, oldest first."""
        with _mapped_errors(self._file):
            rows = self._connection().execute(_READ, (run, after)).fetchall()
        return [
            Entry(
                run=run,
                seq=seq,
                at=datetime.fromisoformat(at),
                event=event_from_text(kind, event),
                link=link,
            )
            for seq, at, kind, event, link in rows
        ]

    def runs(self) -> Sequence[RunId]:
        """Return every run, the newest first."""
        with _mapped_errors(self._file):
            return [RunId(run) for (run,) in self._connection().execute(_RUNS)]

    def take(self, resources: Sequence[str], *, run: RunId, holder: str) -> None:
        """Lock all *resources* for *run*, or none. A run that has ended holds nothing.

        Raises:
            ResourceLocked: With the run and the person that hold one of them.
        """
        with self._writing() as connection:
            for resource in sorted(resources):
                self._take_one(connection, resource, run, holder)

    def release(self, run: RunId) -> None:
        """Give back whatever *run* holds."""
        with self._writing() as connection:
            connection.execute("delete from resource_lock where run = ?", (run,))

    def locks(self) -> Sequence[tuple[str, RunId, str, datetime]]:
        """Return resource, run, holder and time of every lock. A run that has ended holds none."""
        with _mapped_errors(self._file):
            rows = self._connection().execute(_LOCKS).fetchall()
        return [(r, RunId(run), holder, datetime.fromisoformat(at)) for r, run, holder, at in rows]

    def _take_one(
        self, connection: sqlite3.Connection, resource: str, run: RunId, holder: str
    ) -> None:
        held = connection.execute(_HOLDER, (resource, run)).fetchone()
        if held:
            raise ResourceLocked(
                f"{resource} is locked by {held[1]} with run {held[0]} since {held[2]}; "
                f"`recover attach {held[0]}` shows it, `recover abort {held[0]}` ends it"
            )
        connection.execute(
            "insert or replace into resource_lock (resource, run, holder, since) "
            "values (?, ?, ?, ?)",
            (resource, run, holder, self._clock.now().isoformat()),
        )

    def _link(
        self, run: RunId, seq: int, event: Event, previous: str
    ) -> tuple[Entry, tuple[str, int, str, str, str, str]]:
        at = self._clock.now()
        kind, text = event_to_text(event)
        link = link_of(previous, run, seq, at.isoformat(), kind, text)
        entry = Entry(run=run, seq=seq, at=at, event=event, link=link)
        return entry, (run, seq, at.isoformat(), kind, text, link)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self._failure:
            raise JournalBroken(f"the journal failed before and is not trusted: {self._failure}")
        try:
            with _mapped_errors(self._file):
                connection = self._connection()
                connection.execute("begin immediate")
                try:
                    yield connection
                    connection.execute("commit")
                finally:
                    # SQLite itself rolls back after some errors of the disk.
                    if connection.in_transaction:
                        connection.execute("rollback")
        except JournalBroken as error:
            self._failure = str(error)
            raise

    def _connection(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if known is None:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            known = sqlite3.connect(self._file, timeout=BUSY_LIMIT_S, isolation_level=None)
            if known.execute("pragma user_version").fetchone() < (_SCHEMA_VERSION,):
                with _alone_at(self._file.parent):
                    known.execute("pragma journal_mode=wal")
                    known.executescript(_SCHEMA)
            known.execute("pragma synchronous=full")
            self._of_thread.connection = known
        return known


@contextmanager
def _alone_at(folder: Path) -> Iterator[None]:
    """Keep others out: who changes the mode or the schema is told "locked" without waiting."""
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def link_of(previous: str, run: str, seq: int, at: str, kind: str, event: str) -> str:
    """Return the hash that chains an entry to the one before it."""
    body = "\n".join((previous, run, str(seq), at, kind, event))
    return hashlib.sha256(body.encode()).hexdigest()


@contextmanager
def _mapped_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalBroken(f"the journal {file} cannot be used: {error}") from error
