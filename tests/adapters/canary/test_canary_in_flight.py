"""Several markers under way: one that hangs must not hide that the service is back."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.adapters.canary.lanes import MOST_IN_FLIGHT
from orchestrator.adapters.canary.spec import MarkerSpec
from orchestrator.domain.observation import MarkerWrite, WriteOutcome
from tests.support.real_canary import RealCanary, markers_in
from tests.support.real_postgresql import RealPostgresql
from tests.support.relay import Relay, a_relay
from tests.support.waiting import wait_until, wall_clock

SOON = timedelta(milliseconds=250)
"""50 ms are meant; a busy machine may let us see it later."""


def test_recovery_is_seen_at_once_though_a_write_still_hangs(
    canary: RealCanary, markers: MarkerSpec, postgresql: RealPostgresql
) -> None:
    with a_relay(postgresql.port) as relay:
        canary.start(canary.spec(through(relay, markers)))
        canary.wait_for(20, MarkerWrite)

        relay.swallow()
        threading.Event().wait(1.5)
        healed = now()
        relay.target = postgresql.port
        first = first_acknowledged_after(canary, healed)
        wait_until(lambda: hung_in(canary) != [], "the hung write is given up", within_s=10)
        canary.stop()

    assert first.done - healed < SOON
    (hung,) = hung_in(canary)
    assert hung.sent < healed < first.done < hung.done
    assert hung.done - hung.sent >= timedelta(seconds=markers.deadline_s)


def test_session_that_hangs_alone_holds_up_nobody_else(
    canary: RealCanary, markers: MarkerSpec, postgresql: RealPostgresql
) -> None:
    canary.start(canary.spec(markers))
    canary.wait_for(20, MarkerWrite)

    with a_frozen_session(postgresql) as frozen_at:
        second = first_acknowledged_after(canary, frozen_at + timedelta(milliseconds=50))
        canary.wait_for(20, MarkerWrite, after=len(markers_in(canary.written())))
    canary.stop()

    assert second.done - frozen_at < timedelta(milliseconds=300) + SOON
    acknowledged = markers_in(canary.written(), WriteOutcome.ACKNOWLEDGED)
    assert len(acknowledged) == len(markers_in(canary.written())), "the frozen one came too"


def test_never_more_than_a_few_wait_for_the_server(
    canary: RealCanary, markers: MarkerSpec, postgresql: RealPostgresql
) -> None:
    canary.start(canary.spec(markers))
    canary.wait_for(20, MarkerWrite)

    with postgresql.connect(dbname="shop") as locking, locking.transaction():
        locking.execute("lock table recover_marker in share mode")
        wait_until(lambda: waiting_in(postgresql) == MOST_IN_FLIGHT, "all lanes wait")
        threading.Event().wait(1)
        assert waiting_in(postgresql) == MOST_IN_FLIGHT
    canary.wait_for(20, MarkerWrite, after=len(markers_in(canary.written())))
    wait_until(lambda: sessions_in(postgresql) == 1, "one writer is left in peace")
    canary.stop()

    written = markers_in(canary.written())
    assert {marker.outcome for marker in written} == {WriteOutcome.ACKNOWLEDGED}
    assert len({marker.seq for marker in written}) == len(written)


def test_stop_lets_every_write_under_way_come_to_its_end(
    canary: RealCanary, markers: MarkerSpec, postgresql: RealPostgresql
) -> None:
    canary.start(canary.spec(replace(markers, deadline_s=1)))
    canary.wait_for(20, MarkerWrite)

    with postgresql.connect(dbname="shop") as locking, locking.transaction():
        locking.execute("lock table recover_marker in share mode")
        wait_until(lambda: waiting_in(postgresql) == MOST_IN_FLIGHT, "all lanes wait")
        canary.stop()

    assert len(markers_in(canary.written(), WriteOutcome.UNKNOWN)) >= MOST_IN_FLIGHT


def through(relay: Relay, markers: MarkerSpec) -> MarkerSpec:
    return replace(markers, database={**markers.database, "port": relay.port})


def first_acknowledged_after(canary: RealCanary, at: datetime) -> MarkerWrite:
    def seen() -> list[MarkerWrite]:
        acknowledged = markers_in(canary.written(), WriteOutcome.ACKNOWLEDGED)
        return [marker for marker in acknowledged if marker.done > at]

    wait_until(lambda: bool(seen()), "a write is acknowledged")
    return min(seen(), key=lambda marker: marker.done)


def hung_in(canary: RealCanary) -> list[MarkerWrite]:
    return list(markers_in(canary.written(), WriteOutcome.UNKNOWN))


def now() -> datetime:
    return datetime.fromtimestamp(wall_clock(), UTC)


@contextmanager
def a_frozen_session(postgresql: RealPostgresql) -> Iterator[datetime]:
    """Stop the one server process that the canary talks to."""
    with postgresql.connect(dbname="shop") as session:
        found = session.execute("select pid from pg_stat_activity where usename = 'canary'")
        (pid,) = (int(str(row[0])) for row in found.fetchall())
    os.kill(pid, signal.SIGSTOP)
    try:
        yield now()
    finally:
        os.kill(pid, signal.SIGCONT)


def waiting_in(postgresql: RealPostgresql) -> int:
    return sum(event == "Lock" for event in _sessions(postgresql))


def sessions_in(postgresql: RealPostgresql) -> int:
    return len(_sessions(postgresql))


def _sessions(postgresql: RealPostgresql) -> list[object]:
    """What each session of the canary waits for."""
    with postgresql.connect(dbname="shop") as session:
        found = session.execute(
            "select wait_event_type from pg_stat_activity where usename = 'canary'"
        )
        return [row[0] for row in found.fetchall()]
