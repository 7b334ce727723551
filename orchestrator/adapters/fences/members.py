"""The fences of every member: tried one after the other, looked at side by side."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.fences.fencer import Fencer, FenceState, Sight
from orchestrator.domain.environment import Fence, FenceLayer, FenceName
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport, Clock

AT_ONCE = 16
BETWEEN_LOOKS = timedelta(milliseconds=20)
SHORTEST_LOOK = timedelta(milliseconds=100)
"""An agent that would be killed before it can answer is not started."""
REUSED_FOR_S = 1.0
"""How long a look also serves others that ask; what we ourselves change is looked at anew."""

Key = tuple[str, FenceName]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of one fence.

    Attributes:
        claim: What the fence itself said of closing or opening, if it was asked to.
        took_s: Its looks included.
    """

    fence: FenceName
    sight: Sight
    claim: str
    took_s: float

    def __str__(self) -> str:
        claimed = f"{self.claim}; " if self.claim else "as it was; "
        return (
            f"{self.fence} {self.sight.state} ({claimed}{self.sight.detail}; {self.took_s:.1f} s)"
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """A look, and when it ended on the monotonic clock."""

    sight: Sight
    at_s: float


def in_words(member: str, fence: FenceName, sight: Sight) -> str:
    """Return what was seen of one fence, for a summary."""
    return f"{fence} of {member} is {sight.state}: {sight.detail}"


class MemberFences:
    """Operates and looks at fences. Safe to use from several threads.

    Args:
        fences: By member, in the order in which they are tried.
        fencers: One for each kind.
    """

    def __init__(
        self,
        fences: Mapping[str, Sequence[Fence]],
        fencers: Mapping[str, Fencer],
        clock: Clock,
    ) -> None:
        self._fences = fences
        self._fencers = fencers
        self._clock = clock
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fence")
        self._seen: dict[Key, _Seen] = {}
        self._looking: defaultdict[Key, threading.Lock] = defaultdict(threading.Lock)

    def of(self, member: str, only: Sequence[FenceLayer] = ()) -> tuple[Fence, ...]:
        """Return the fences of *member*, or *only* those layers, in the order of their turns.

        A layer may have none: what a service cannot be deprived of needs not be given back.

        Raises:
            TargetUnavailable: If it has no fence at all.
        """
        fences = tuple(self._fences.get(member, ()))
        if not fences:
            raise TargetUnavailable(f"{member} has no fence: see `fences:` of its service")
        return tuple(fence for fence in fences if not only or fence.layer in only)

    def close(
        self, member: str, only: Sequence[FenceLayer], *, deadline: Deadline
    ) -> Iterator[Tried]:
        """Try one after the other until one is seen to be closed; each costs its own time only.

        Those that said nothing when they were last asked have their turn after the others.

        Raises:
            TargetUnavailable: As `of`.
        """
        for fence in sorted(self.of(member, only), key=lambda one: self._was_silent(member, one)):
            tried = self._turn(member, fence, FenceState.CLOSED, deadline)
            yield tried
            if tried.sight.state is FenceState.CLOSED:
                return

    def open(
        self, member: str, only: Sequence[FenceLayer], *, deadline: Deadline
    ) -> Iterator[Tried]:
        """Open every one of them, the last one first.

        Raises:
            TargetUnavailable: As `of`.
        """
        for fence in reversed(self.of(member, only)):
            yield self._turn(member, fence, FenceState.OPEN, deadline)

    def look(
        self, member: str, only: Sequence[FenceLayer] = (), *, deadline: Deadline
    ) -> Iterator[tuple[FenceName, Sight]]:
        """Look at all of them at once; the quickest answers first.

        Raises:
            TargetUnavailable: As `of`.
        """
        asked = {
            self._pool.submit(self._look, member, fence, deadline): fence.fence
            for fence in self.of(member, only)
        }
        for answer in as_completed(asked):
            yield asked[answer], answer.result()

    def find_closed(self, member: str, *, deadline: Deadline) -> str:
        """Return in words the first fence that is seen to be closed; nothing if none is.

        Raises:
            TargetUnavailable: As `of`.
        """
        for name, sight in self.look(member, deadline=deadline):
            if sight.state is FenceState.CLOSED:
                return in_words(member, name, sight)
        return ""

    def guard(self, member: str) -> bool:
        """Tell whether *member* has fences at all."""
        return bool(self._fences.get(member))

    def were_closed(self, member: str) -> bool:
        """Tell whether one was closed when it was last looked at, however long ago that is."""
        seen = (self._seen.get((member, fence.fence)) for fence in self._fences.get(member, ()))
        return any(look and look.sight.state is FenceState.CLOSED for look in seen)

    def shut_down(self) -> None:
        """Let the threads go; no look begins any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _was_silent(self, member: str, fence: Fence) -> bool:
        seen = self._seen.get((member, fence.fence))
        return seen is not None and seen.sight.state is FenceState.UNKNOWN

    def _turn(self, member: str, fence: Fence, wanted: FenceState, deadline: Deadline) -> Tried:
        began_s = self._clock.monotonic()
        own = deadline.or_sooner(fence.within)
        sight, claim = self._look(member, fence, own), ""
        if sight.state is not wanted and not own.is_over:
            report = self._operate(member, fence, wanted, own)
            claim = report.detail
            sight = self._look_until(member, fence, wanted, own, report)
        took_s = self._clock.monotonic() - began_s
        return Tried(fence=fence.fence, sight=sight, claim=claim, took_s=took_s)

    def _operate(
        self, member: str, fence: Fence, wanted: FenceState, deadline: Deadline
    ) -> ActionReport:
        fencer = self._fencers[fence.kind]
        turn = fencer.close if wanted is FenceState.CLOSED else fencer.open
        try:
            return turn(member, fence.inputs, deadline=deadline)
        finally:
            self._seen.pop((member, fence.fence), None)

    def _look_until(
        self,
        member: str,
        fence: Fence,
        wanted: FenceState,
        deadline: Deadline,
        report: ActionReport,
    ) -> Sight:
        """Look whether it took effect: again and again only if the fence claims that it did."""
        sight = self._look_anew(member, fence, deadline)
        while (
            sight.state is not wanted and report.outcome is Outcome.DONE and not deadline.is_over
        ):
            self._clock.pause(BETWEEN_LOOKS)
            newer = self._look_anew(member, fence, deadline)
            # A look that sees nothing, the time being over, does not undo the one before it.
            sight = sight if newer.state is FenceState.UNKNOWN else newer
        return sight

    def _still_serves(self, seen: _Seen, asked_at_s: float) -> bool:
        """Tell whether one look answers another's question; silence only for who waited for it."""
        if seen.at_s >= asked_at_s:
            return True
        is_known = seen.sight.state is not FenceState.UNKNOWN
        return is_known and self._clock.monotonic() - seen.at_s < REUSED_FOR_S

    def _look_anew(self, member: str, fence: Fence, deadline: Deadline) -> Sight:
        self._seen.pop((member, fence.fence), None)
        return self._look(member, fence, deadline)

    def _look(self, member: str, fence: Fence, deadline: Deadline) -> Sight:
        """Look, or take a look that has just been made: several places ask at the same time."""
        key, asked_at_s = (member, fence.fence), self._clock.monotonic()
        with self._looking[key]:
            seen = self._seen.get(key)
            if seen and self._still_serves(seen, asked_at_s):
                return seen.sight
            own = deadline.or_sooner(fence.within)
            if own.within < SHORTEST_LOOK:
                return Sight(state=FenceState.UNKNOWN, detail="no time left to look")
            fencer = self._fencers[fence.kind]
            sight = fencer.look(member, fence.inputs, deadline=own)
            self._seen[key] = _Seen(sight, self._clock.monotonic())
            return sight
