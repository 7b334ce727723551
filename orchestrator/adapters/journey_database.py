"""Reads for a journey, by psycopg, with a deadline that a paused pooler cannot outwait."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.rows import dict_row

from orchestrator.adapters.journey_replies import ActionFailed, DeadlinePassed

Row = Mapping[str, Any]

# libpq waits at least so long, whatever it is told.
_SHORTEST_CONNECT_S = 2


class JourneyDatabase:
    """One connection, kept between walks, as a user's application would."""

    def __init__(self, parameters: Mapping[str, str | int]) -> None:
        self._parameters = parameters
        self._connection: psycopg.Connection[Row] | None = None

    def read(self, query: str, values: Mapping[str, object], *, deadline: float) -> Sequence[Row]:
        """Return the rows of *query* from a transaction that cannot write.

        Raises:
            ActionFailed: With what the server said, or that it was silent until *deadline*.
        """
        with _failures(deadline):
            connection = self._ensure_connected(deadline)
            with _hang_up_at(connection, deadline), connection.transaction():
                # Written by the author of the journey, not by a target.
                return connection.execute(query.encode(), values or None).fetchall()

    def close(self) -> None:
        """Hang up, if there is a connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ensure_connected(self, deadline: float) -> psycopg.Connection[Row]:
        if self._connection is not None and not _is_broken(self._connection):
            return self._connection
        self.close()
        # The parameters may be any of libpq's, which psycopg's types cannot know.
        parameters: dict[str, Any] = {
            "connect_timeout": max(_SHORTEST_CONNECT_S, int(deadline - time.monotonic())),
            **self._parameters,
        }
        connection: psycopg.Connection[Row] = psycopg.connect(
            **parameters, autocommit=True, prepare_threshold=None, row_factory=dict_row
        )
        connection.read_only = True
        self._connection = connection
        return connection


def _is_broken(connection: psycopg.Connection[Row]) -> bool:
    """Look without waiting; an idle server says nothing unless it leaves."""
    if connection.closed:
        return True
    readable, _, _ = select.select([connection.fileno()], [], [], 0)
    return bool(readable)


@contextmanager
def _hang_up_at(connection: psycopg.Connection[Row], deadline: float) -> Iterator[None]:
    """Shut the socket when *deadline* passes, for psycopg itself waits without an end."""
    # A descriptor of our own: that of libpq may be closed, and taken again, under our hands.
    peer = socket.socket(fileno=os.dup(connection.fileno()))
    timer = threading.Timer(max(0, deadline - time.monotonic()), _shut, [peer])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        peer.close()


def _shut(peer: socket.socket) -> None:
    with suppress(OSError):
        peer.shutdown(socket.SHUT_RDWR)


@contextmanager
def _failures(deadline: float) -> Iterator[None]:
    """Map whatever psycopg raises."""
    try:
        yield
    except psycopg.Error as error:
        if time.monotonic() >= deadline:
            raise DeadlinePassed("no answer from the database in time") from error
        text = error.diag.message_primary or str(error).strip() or type(error).__name__
        raise ActionFailed(text.splitlines()[0]) from error
