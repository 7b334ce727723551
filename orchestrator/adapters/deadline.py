"""A point in time by which something must have ended, on a clock that never jumps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The last instant at which an answer still counts.

    Attributes:
        at: Seconds on the monotonic clock of this process.
        within: How long it was when it was set, for messages.
    """

    at: float
    within: timedelta

    @classmethod
    def after(cls, within: timedelta) -> Deadline:
        """Set a deadline *within* from now."""
        return cls(at=time.monotonic() + within.total_seconds(), within=within)

    def or_sooner(self, within: timedelta) -> Deadline:
        """Return a deadline *within* from now, or this one if that is sooner."""
        return Deadline.after(min(within, timedelta(seconds=self.left_s)))

    @property
    def left_s(self) -> float:
        """Seconds that are left; never negative."""
        return max(0.0, self.at - time.monotonic())

    @property
    def is_over(self) -> bool:
        """True once nothing is left."""
        return self.left_s == 0.0

    def __str__(self) -> str:
        return f"{self.within.total_seconds():.1f} s"
