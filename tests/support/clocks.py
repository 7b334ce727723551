"""A clock that stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class StoppedClock:
    """Always noon."""

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return 0.0

    def pause(self, duration: timedelta) -> None:
        raise AssertionError(f"nobody may wait {duration} here")
