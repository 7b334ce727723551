"""Time in tests: wait for a condition, never for a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(look: Callable[[], T], what: str, *, within_s: float = 20) -> T:
    """Return the first truthy answer of *look*; fail with *what* if there is none."""
    until = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < until, f"never happened: {what}"
        threading.Event().wait(0.01)
    return seen


def wall_clock() -> float:
    """The unix time, as another process would see it."""
    return time.clock_gettime(time.CLOCK_REALTIME)
