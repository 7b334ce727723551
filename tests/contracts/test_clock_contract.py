"""What every clock owes the engine: the fake of the scenarios, and the machine's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.adapters.system import SystemClock
from orchestrator.engine.ports import Clock
from tests.support.fakes import FakeClock

A_MOMENT = timedelta(milliseconds=5)


@pytest.fixture(params=[FakeClock, SystemClock], ids=["fake", "system"])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_now_is_utc_and_says_so(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_a_pause_passes_on_both_clocks(clock: Clock) -> None:
    now, monotonic = clock.now(), clock.monotonic()

    clock.pause(A_MOMENT)

    assert clock.now() - now >= A_MOMENT
    assert clock.monotonic() - monotonic >= A_MOMENT.total_seconds()
