"""What users got from moment to moment, as a strip to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Service(StrEnum):
    """What users got in a moment, worst last: an answer, a wait, silence to us, or an error."""

    OK = "ok"
    HELD = "held"
    BLIND = "blind"
    BAD = "bad"


class Scope(StrEnum):
    """Which part of a run a strip shows."""

    RUN = "run"
    STEPS = "steps"
    OUTAGE = "outage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """The worst that users met in one short span, and how many writes were acknowledged in it."""

    start: datetime
    service: Service
    acknowledged: int
    worst_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """What users got over a stretch of time, in buckets of equal width.

    Attributes:
        buckets: Empty if nobody watched.
    """

    scope: Scope
    since: datetime
    until: datetime
    bucket_s: float
    buckets: tuple[Bucket, ...]
