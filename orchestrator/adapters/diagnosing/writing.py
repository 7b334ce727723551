"""One write to PostgreSQL as users do it: committed, with a client's deadline, leaving nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import timedelta

from psycopg import sql

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.diagnosing.limits import ASIDE_LIMIT, SLOW_AFTER
from orchestrator.adapters.sql_connecting import DeadlineConnection, sql_errors
from orchestrator.adapters.sql_sessions import SqlSessions, execute
from orchestrator.adapters.sql_statements import Login, Row
from orchestrator.adapters.trouble import Trouble, Troubled, TroubleKind
from orchestrator.domain.diagnosis import Ailment, Sight
from orchestrator.domain.errors import TargetUnavailable

At = tuple[str, int] | None
"""Folder of a Unix socket and port, where a tunnel begins; ``None`` for the member's address."""
Way = Callable[[Deadline], AbstractContextManager[At]]
"""Opens a way to the member, once for each connection."""

DISK_FULL = "53100"
"""SQLSTATE of a file that cannot grow."""
SYNC_REP = "SyncRep"
"""Wait event of a commit that is durable here and that no standby has confirmed."""
CUT_OFF = "Network is unreachable"
"""What our own kernel says when it has no way there, which tells nothing of the member."""

# Whoever waits for a standby does not notice that its client has gone, and would stay for ever.
_WAITS = """
    select wait_event_type as type, wait_event as event, pg_cancel_backend(pid)
    from pg_stat_activity where pid = {} and query like '%a diagnosis%'
"""
_READ_ONLY = """
    select pg_is_in_recovery() as is_standby, setting, source from pg_settings
    where name = 'default_transaction_read_only'
"""
_SEEN_AS = {
    TroubleKind.REFUSED: Ailment.REFUSED,
    TroubleKind.UNREACHABLE: Ailment.BLACK_HOLED,
    TroubleKind.HUNG: Ailment.HUNG,
    TroubleKind.READ_ONLY: Ailment.READ_ONLY,
}


class Writer:
    """Writes as one account into one table, each time on a connection of its own."""

    def __init__(self, sessions: SqlSessions, login: Login, *, table: str) -> None:
        self._sessions = sessions
        self._login = login
        self._statement = _statement(table)

    def try_from(self, place: str, way: Way, deadline: Deadline) -> Sight:
        """Insert a marker, delete it, commit, and say what came of that.

        What the commit waits for is asked after *deadline*, which takes `ASIDE_LIMIT` more.
        """
        started = time.monotonic()
        try:
            ailment, detail = self._write(way, deadline)
        except TargetUnavailable as error:
            ailment, detail = Ailment.UNKNOWN, f"did not look: {error}"
        took = timedelta(seconds=time.monotonic() - started)
        if ailment is Ailment.HEALTHY and took > SLOW_AFTER:
            ailment, detail = Ailment.SLOW, f"took {took.total_seconds():.1f} s for a write"
        return Sight(place=place, ailment=ailment, detail=detail, took=took)

    def _write(self, way: Way, deadline: Deadline) -> tuple[Ailment, str]:
        try:
            with self._connected(way, deadline) as connection:
                try:
                    with sql_errors(self._login.member, deadline):
                        execute(connection, self._statement)
                except Troubled as error:
                    return self._explain(error.trouble, connection, way)
        except Troubled as error:
            if error.trouble.kind is TroubleKind.HUNG:
                _require(way)
            return ailment_of(error.trouble), error.trouble.detail
        return Ailment.HEALTHY, "took a write"

    @contextmanager
    def _connected(self, way: Way, deadline: Deadline) -> Iterator[DeadlineConnection]:
        with (
            way(deadline) as at,
            closing(self._sessions.open(self._login, deadline=deadline, at=at)) as connection,
        ):
            yield connection

    def _explain(
        self, trouble: Trouble, connection: DeadlineConnection, way: Way
    ) -> tuple[Ailment, str]:
        """Ask why the write was not taken: on its own connection, or beside one that waits."""
        with suppress(Troubled):
            if trouble.kind is TroubleKind.READ_ONLY:
                [row] = self._ask(connection, _READ_ONLY)
                return Ailment.READ_ONLY, _what_forbids(row)
            if trouble.kind is TroubleKind.HUNG:
                with self._connected(way, Deadline.after(ASIDE_LIMIT)) as beside:
                    for row in self._ask(beside, _WAITS.format(connection.pgconn.backend_pid)):
                        return _what_is_awaited(row, trouble)
        return ailment_of(trouble), trouble.detail

    def _ask(self, connection: DeadlineConnection, query: str) -> tuple[Row, ...]:
        with sql_errors(self._login.member, connection.deadline):
            return execute(connection, query).rows


def _require(way: Way) -> None:
    """Raise `TargetUnavailable` if it was the way that fell silent, not the member."""
    with suppress(Troubled), way(Deadline.after(ASIDE_LIMIT)):
        pass


def ailment_of(trouble: Trouble) -> Ailment:
    """Return how a member is that answers a write with *trouble*.

    A connection that broke without a word tells nothing: it may have been the way to the member.
    """
    if trouble.code == DISK_FULL:
        return Ailment.DISK_FULL
    if CUT_OFF in trouble.detail or (trouble.kind is TroubleKind.LOST and not trouble.code):
        return Ailment.UNKNOWN
    return _SEEN_AS.get(trouble.kind, Ailment.REJECTED)


def _statement(table: str) -> str:
    """Return a transaction that is as good as a user's and leaves no row, whenever it ends."""
    insert = sql.SQL("insert into {} (run, seq) values ('a diagnosis', txid_current())")
    delete = sql.SQL("delete from {} where run = 'a diagnosis' and seq = txid_current()")
    target = sql.Identifier(*table.split("."))
    return "; ".join(statement.format(target).as_string() for statement in (insert, delete))


def _what_forbids(row: Row) -> str:
    if row["is_standby"]:
        return "it is a standby"
    return f"default_transaction_read_only is {row['setting']} (by {row['source']})"


def _what_is_awaited(row: Row, trouble: Trouble) -> tuple[Ailment, str]:
    if row["event"] == SYNC_REP:
        return Ailment.UNREPLICATED, "the write is done and waits for a standby to confirm it"
    awaited = f"{row['type']} {row['event']}" if row["event"] else "the processor"
    return Ailment.SLOW, f"{trouble.detail}; it waits for {awaited}"
