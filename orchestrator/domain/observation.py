"""What a synthetic user saw, and the numbers that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.domain.verdict import Verdict

STOPPED = "stopped"
"""Why a canary ended, when it was told to."""


class WriteOutcome(StrEnum):
    """What became of one write, as its client knows it."""

    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    UNKNOWN = "unknown"


STANDING = "standing"
"""Name of the canary that watches in peace, between runs; any other is named after its run."""


@dataclass(frozen=True, slots=True, order=True)
class MarkerId:
    """What no other marker is called: its canary's name, and its number there."""

    canary: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerWrite:
    """One numbered write, sent once and never again.

    Attributes:
        outcome: ``FAILED`` only if it certainly left nothing; ``UNKNOWN`` if the connection
            broke or the deadline passed while it was under way.
        canary: Whose it is.
    """

    seq: int
    sent: datetime
    done: datetime
    outcome: WriteOutcome
    error: str = ""
    canary: str = ""

    @property
    def name(self) -> MarkerId:
        """Its identity, in the database too."""
        return MarkerId(self.canary, self.seq)

    @property
    def is_acknowledged(self) -> bool:
        """Whether its client was told that it is safe."""
        return self.outcome is WriteOutcome.ACKNOWLEDGED

    def shifted(self, skew: timedelta) -> MarkerWrite:
        """Return it as told by a clock that is *skew* ahead."""
        return replace(self, sent=self.sent + skew, done=self.done + skew)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One walk of a journey.

    Attributes:
        since: When the action that failed was first tried; when it passed, the same as ``sent``.
        action: The action that failed.
        receipts: References of the writes that were acknowledged on the way.
        canary: Whose it is.
    """

    number: int
    sent: datetime
    done: datetime
    passed: bool
    since: datetime
    action: str = ""
    error: str = ""
    receipts: tuple[str, ...] = ()
    canary: str = ""

    def shifted(self, skew: timedelta) -> Walk:
        """Return it as told by a clock that is *skew* ahead."""
        return replace(self, sent=self.sent + skew, since=self.since + skew, done=self.done + skew)


class Watcher(StrEnum):
    """The two that watch, each in a process of its own."""

    MARKERS = "markers"
    WALKS = "walks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A sign that a watcher is awake, so that its silence means something."""

    watcher: Watcher
    at: datetime

    def shifted(self, skew: timedelta) -> Heartbeat:
        """Return it as told by a clock that is *skew* ahead."""
        return replace(self, at=self.at + skew)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The last line of a canary; without it, it was cut off or is still there."""

    at: datetime
    why: str

    def shifted(self, skew: timedelta) -> Ended:
        """Return it as told by a clock that is *skew* ahead."""
        return replace(self, at=self.at + skew)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A line that makes no sense, e.g. torn by a full disk."""

    line: str

    def shifted(self, skew: timedelta) -> Unreadable:
        """Return it as it is."""
        del skew
        return self


Sample = MarkerWrite | Walk | Heartbeat | Ended | Unreadable
"""One line of a canary."""

Found = Mapping[MarkerId, int]
"""How often each marker is in the database."""


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A stretch of time, *start* not later than *end*."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInterval:
    """When a step was at work, by the controller's clock."""

    step: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Downtime:
    """How long users were without service: the truth lies between the two bounds."""

    at_least: timedelta
    at_most: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A stretch without service, and the steps it belongs to.

    Attributes:
        seen_by: The watchers that noticed.
        charges: How much of it fell into each step; of steps that overlap, the one that
            started last is charged. Steps without a share are left out.
        before_steps: What fell before the first step: the fault itself, and the time until
            somebody acted on it.
        between_steps: What fell into no step after that.
    """

    start: datetime
    end: datetime
    seen_by: tuple[Watcher, ...]
    charges: Mapping[str, timedelta]
    between_steps: timedelta
    before_steps: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long users waited for an answer that came."""

    p50: timedelta
    p99: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """Times between one acknowledged marker write and the next.

    Attributes:
        typical: Their median.
        longest: The longest one, and where it began.
        longest_before_steps: The longest one that ended before the first step: what this
            system does when nobody touches it.
    """

    typical: timedelta
    longest: timedelta
    longest_from: datetime
    longest_before_steps: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """Marker writes by what became of them.

    Attributes:
        counted: Whether the database was asked. If not, nothing below is known.
        lost: Acknowledged, and not found.
        duplicate: Found more than once.
        unknown_found: Unknown to the client, and there.
        contradicted: Found although they had certainly failed, or were never sent.
    """

    acknowledged: int
    failed: int
    unknown: int
    counted: bool
    lost: tuple[MarkerId, ...] = ()
    duplicate: tuple[MarkerId, ...] = ()
    unknown_found: tuple[MarkerId, ...] = ()
    contradicted: tuple[MarkerId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkCount:
    """Walks by how they ended."""

    passed: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """One kind of error, how often, and when it was first seen."""

    watcher: Watcher
    error: str
    count: int
    first: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Blindness:
    """A time in which a watcher did not look, so that anything may have happened."""

    watcher: Watcher
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a run cost its users.

    Attributes:
        gaps: Nothing if fewer than two marker writes were acknowledged.
        stalls: Waits for marker writes; nothing if none was acknowledged.
        walk_times: Nothing if no walk passed.
        doubts: Why the numbers may be wrong. They are conclusive only without any.
        back_after: From the opening of the first gate to the first acknowledged write behind the
            outage; zero if there was none. Nothing if no gate opened, or none was seen.
        seen_up_before: Whether a write was acknowledged before the first outage. If not, nobody
            knows what that outage lost.
    """

    downtime: Downtime
    gaps: Gaps | None
    outages: tuple[Outage, ...]
    stalls: Waits | None
    walk_times: Waits | None
    writes: Writes
    walks: WalkCount
    errors: tuple[ErrorCount, ...]
    blind: tuple[Blindness, ...]
    doubts: tuple[str, ...]
    back_after: timedelta | None = None
    seen_up_before: bool = True

    @property
    def verdict(self) -> Verdict:
        """Whether it was measured in full; whether that is good, the objectives say."""
        return Verdict.INCONCLUSIVE if self.doubts else Verdict.PASSED

    @property
    def charges(self) -> Mapping[str, timedelta]:
        """Every outage's charges, added up by step."""
        total: dict[str, timedelta] = {}
        for outage in self.outages:
            for step, share in outage.charges.items():
                total[step] = total.get(step, timedelta(0)) + share
        return total
