"""Time in tests: wait for a condition, never for a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def wait_until(holds: Callable[[], bool], what: str, *, within_s: float = 20) -> None:
    """Return as soon as *holds*; fail with *what* if that never happens."""
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, f"never happened: {what}"
        threading.Event().wait(0.01)


def wall_clock() -> float:
    """The unix time, as another process would see it."""
    return time.clock_gettime(time.CLOCK_REALTIME)
