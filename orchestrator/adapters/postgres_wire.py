"""PostgreSQL's protocol with a deadline on every wait, on libpq's asynchronous calls.

A paused pooler or a black hole keeps an ordinary client waiting without an end. Here whoever
asks gets an answer, a refusal or the loss in time, and learns which of the three it was.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping
from typing import Never

from psycopg import OperationalError, conninfo, pq

# Whoever sends these can no longer speak for the transaction: the connection, the server or the
# pooler between failed (08, 57P, 58, XX), or the server says so itself (40003).
_DOUBTFUL = ("08", "57P", "58", "XX", "40003")
_SLICE_S = 0.05


class Unreached(Exception):
    """There was no connection, so nothing was sent."""


class Unanswered(Unreached):
    """There was no connection in the time that we gave it."""


class Refused(Exception):
    """The server answered no: the statement left nothing."""


class Lost(Exception):
    """The statement was sent, and what became of it is not known."""


class Wire:
    """One connection, one statement at a time.

    Attributes:
        pulse: Called at least every 50 ms while waiting, so that a wait is not mistaken for
            death.
    """

    def __init__(
        self, database: Mapping[str, str | int], *, pulse: Callable[[], None] = lambda: None
    ) -> None:
        self._conninfo = conninfo.make_conninfo("", **database).encode()
        self._connection: pq.abc.PGconn | None = None
        self._poll = select.poll()
        self.pulse = pulse

    def close(self) -> None:
        """Hang up, if there is a connection."""
        if self._connection is not None:
            self._connection.finish()
            self._connection = None

    def ensure_connected(self, *, within_s: float) -> bool:
        """Connect unless there is a connection that still stands; tell whether it was needed.

        Raises:
            Unreached: With the reason. The next call tries afresh.
        """
        if self._connection is not None and not self._has_hung_up(self._connection):
            return False
        self.close()
        deadline = time.monotonic() + within_s
        connection = pq.PGconn.connect_start(self._conninfo)
        # What fails at once, as a name that does not resolve, has no socket to wait for.
        is_hopeless = connection.status == pq.ConnStatus.BAD
        status = pq.PollingStatus.FAILED if is_hopeless else pq.PollingStatus.WRITING
        while status is not pq.PollingStatus.OK:
            if status is pq.PollingStatus.FAILED:
                raise Unreached(_hung_up(connection))
            wanted = select.POLLOUT if status is pq.PollingStatus.WRITING else select.POLLIN
            if not self._wait(connection, wanted, deadline):
                connection.finish()
                raise Unanswered(f"no connection within {within_s:g} s")
            status = pq.PollingStatus(connection.connect_poll())
        connection.nonblocking = 1
        self._connection = connection
        return True

    def execute(self, statement: str, *, within_s: float) -> None:
        """Execute one statement; it is acknowledged when this returns.

        Raises:
            Refused: If it certainly left nothing.
            Lost: If that is not known. The connection is closed.
        """
        connection = self._connection
        if connection is None:
            raise Unreached("not connected")
        deadline = time.monotonic() + within_s
        try:
            connection.send_query(statement.encode())
            self._flush(connection, deadline)
            error = self._read_answer(connection, deadline)
        except OperationalError as failure:
            self._lose(_first_line(str(failure)))
        if error is not None:
            self._judge(error)

    def _flush(self, connection: pq.abc.PGconn, deadline: float) -> None:
        while connection.flush():
            if not self._wait(connection, select.POLLIN | select.POLLOUT, deadline):
                self._lose("deadline passed while sending")
            connection.consume_input()

    def _read_answer(self, connection: pq.abc.PGconn, deadline: float) -> pq.abc.PGresult | None:
        error = None
        while True:
            while connection.is_busy():
                if not self._wait(connection, select.POLLIN, deadline):
                    self._lose("deadline passed while waiting for the answer")
                connection.consume_input()
            result = connection.get_result()
            if result is None:
                return error
            if result.status == pq.ExecStatus.FATAL_ERROR:
                error = result

    def _judge(self, error: pq.abc.PGresult) -> Never:
        field = pq.DiagnosticField
        code = (error.error_field(field.SQLSTATE) or b"").decode()
        severity = (error.error_field(field.SEVERITY_NONLOCALIZED) or b"").decode()
        message = error.error_field(field.MESSAGE_PRIMARY) or error.error_message
        text = _first_line(message.decode(errors="replace"))
        if severity != "ERROR" or code.startswith(_DOUBTFUL):
            self._lose(f"{text} ({code})" if code else text)
        raise Refused(f"{text} ({code})")

    def _lose(self, why: str) -> Never:
        self.close()
        raise Lost(why)

    def _has_hung_up(self, connection: pq.abc.PGconn) -> bool:
        """Look without waiting; an idle server says nothing unless it leaves."""
        return self._is_ready(connection.socket, select.POLLIN, 0)

    def _wait(self, connection: pq.abc.PGconn, wanted: int, deadline: float) -> bool:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._is_ready(connection.socket, wanted, min(left, _SLICE_S)):
                return True
            self.pulse()

    def _is_ready(self, fd: int, wanted: int, for_s: float) -> bool:
        self._poll.register(fd, wanted)
        try:
            return bool(self._poll.poll(for_s * 1000))
        finally:
            self._poll.unregister(fd)


def _hung_up(connection: pq.abc.PGconn) -> str:
    """Hang up, and return why there was no connection."""
    why = _first_line(connection.get_error_message())
    connection.finish()
    return why


def _first_line(message: str) -> str:
    """Leave out libpq's advice, which would stand in the report a thousand times."""
    return next(iter(message.strip().splitlines()), "no reason given")
