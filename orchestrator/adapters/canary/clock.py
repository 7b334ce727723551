"""One look at the wall clock; from then on only the monotonic one counts."""

from __future__ import annotations

import select
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunClock:
    """Turns monotonic seconds into unix seconds, so that a clock that is set tears no hole."""

    offset: float

    @classmethod
    def read(cls) -> RunClock:
        """Look at both clocks, once."""
        # This program runs alone on the client host; it is its own edge to the clock.
        return cls(time.time() - time.monotonic())  # noqa: TID251

    def unix(self, monotonic: float) -> float:
        """Return the unix time of *monotonic*, to the microsecond."""
        return round(self.offset + monotonic, 6)

    def now(self) -> float:
        """Return the unix time."""
        return self.unix(time.monotonic())


def closes_before(fd: int, due: float) -> bool:
    """Wait until *due* (monotonic), or until the other end of the pipe *fd* is closed."""
    left = max(0.0, due - time.monotonic())
    readable, _, _ = select.select([fd], [], [], left)
    return bool(readable)


def pause(seconds: float) -> None:
    """Let time pass."""
    select.select([], [], [], seconds)
