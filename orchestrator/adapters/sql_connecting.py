"""One SQL connection whose every wait ends at a deadline of ours, and what its failures mean."""

from __future__ import annotations

import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from psycopg import pq
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo
from psycopg.pq.abc import PGconn
from psycopg.rows import DictRow, dict_row

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.trouble import Trouble, Troubled, TroubleKind, first_line

Result = TypeVar("Result")

READ_ONLY = ("25006",)
"""SQLSTATE of a write in a read-only transaction, which is what a standby answers."""
DISCONNECTING = ("FATAL", "PANIC")
"""Severities after which the connection is gone, and with it the answer."""


class DeadlineConnection(psycopg.Connection[DictRow]):
    """A connection that waits for the server until `deadline`, not as long as the server likes.

    The server side of a wait that was given up goes on; close the connection then.
    """

    deadline: Deadline

    def wait(
        self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None
    ) -> Result:
        """Consume *gen* until the deadline."""
        left_s = self.deadline.left_s
        return super().wait(gen, interval, left_s if timeout is None else min(timeout, left_s))

    @property
    def is_alive(self) -> bool:
        """False if the server has hung up; costs no round trip."""
        readiness = select.poll()
        readiness.register(self.fileno(), select.POLLIN)
        # An idle server says nothing, so that anything to read is a farewell.
        return not readiness.poll(0) and self.pgconn.status == pq.ConnStatus.OK

    @property
    def is_at_rest(self) -> bool:
        """True if the next borrower finds neither an open transaction nor a pending answer."""
        return self.pgconn.transaction_status == pq.TransactionStatus.IDLE


def connect(
    parameters: Mapping[str, str | int], deadline: Deadline, *, where: str
) -> DeadlineConnection:
    """Open an autocommitting connection; *where* stands in messages.

    Raises:
        Troubled: No statement was sent.
    """
    started = pq.PGconn.connect_start(make_conninfo("", **parameters).encode())
    try:
        _finish_connecting(started, deadline, where)
    except BaseException:
        started.finish()
        raise
    started.nonblocking = 1
    connection = DeadlineConnection(started, row_factory=dict_row)
    connection.deadline = deadline
    connection.autocommit = True
    # A pooler hands each transaction to another server, where nothing would be prepared.
    connection.prepare_threshold = None
    return connection


@contextmanager
def sql_errors(where: str, deadline: Deadline) -> Iterator[None]:
    """Map what psycopg raises after a statement was given to it."""
    try:
        yield
    except psycopg.Error as error:
        kind, detail = _diagnose(error, deadline)
        trouble = Trouble(
            kind=kind, detail=f"{where}: {detail}", was_sent=True, code=error.sqlstate or ""
        )
        raise Troubled(trouble) from error


def _diagnose(error: psycopg.Error, deadline: Deadline) -> tuple[TroubleKind, str]:
    message = error.diag.message_primary or first_line(error)
    match error.sqlstate:
        case None if deadline.is_over:
            return TroubleKind.HUNG, f"no answer within {deadline}"
        case None if isinstance(error, psycopg.OperationalError):
            return TroubleKind.LOST, f"the connection broke: {message}"
        case None:
            return TroubleKind.ERROR, message
        case state if state in READ_ONLY:
            return TroubleKind.READ_ONLY, message
        case state if (error.diag.severity_nonlocalized or error.diag.severity) in DISCONNECTING:
            return TroubleKind.LOST, f"{message} ({state})"
        case state:
            return TroubleKind.ERROR, f"{message} ({state})"


def _finish_connecting(started: PGconn, deadline: Deadline, where: str) -> None:
    reached = pq.ConnStatus.STARTED
    if started.status == reached:
        # Polled before the socket can be written to, libpq takes silence for a connection.
        _await(started, select.POLLOUT, deadline, where)
    while True:
        match started.connect_poll():
            case pq.PollingStatus.OK:
                return
            case pq.PollingStatus.READING:
                awaited = select.POLLIN
            case pq.PollingStatus.WRITING:
                awaited = select.POLLOUT
            case _:
                raise Troubled(_not_connected(started.get_error_message(), reached, where))
        reached = pq.ConnStatus(started.status)
        _await(started, awaited, deadline, where)


def _await(started: PGconn, awaited: int, deadline: Deadline, where: str) -> None:
    readiness = select.poll()
    readiness.register(started.socket, awaited)
    if readiness.poll(deadline.left_s * 1000):
        return
    if started.status == pq.ConnStatus.STARTED:
        detail = f"{where}: nobody answered the connect within {deadline}"
        raise Troubled(Trouble(kind=TroubleKind.UNREACHABLE, detail=detail))
    detail = f"{where}: took the connection, then said nothing within {deadline}"
    raise Troubled(Trouble(kind=TroubleKind.HUNG, detail=detail))


def _not_connected(message: str, reached: pq.ConnStatus, where: str) -> Trouble:
    reason = first_line(message).rpartition(" failed: ")[2]
    if reached is not pq.ConnStatus.STARTED:
        return Trouble(kind=TroubleKind.REJECTED, detail=f"{where}: {reason}")
    if reason == "Connection refused":
        return Trouble(kind=TroubleKind.REFUSED, detail=f"{where}: nothing listens there")
    return Trouble(kind=TroubleKind.UNREACHABLE, detail=f"{where}: {reason}")
