"""In-memory stand-ins for the ports, with the failures we care about built in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from orchestrator.adapters.plain_values import event_from_text, event_to_text
from orchestrator.domain.errors import (
    EvidenceIncomplete,
    JournalBroken,
    JournalConflict,
    ResourceLocked,
    TargetUnavailable,
)
from orchestrator.domain.journey import Journey
from orchestrator.domain.observation import (
    Ended,
    Found,
    Heartbeat,
    MarkerId,
    MarkerWrite,
    Sample,
    Walk,
    Watcher,
    WriteOutcome,
)
from orchestrator.domain.run import CheckDone, Entry, Event, RunEnded, RunId, WatchStarted
from orchestrator.domain.verdict import Verdict
from tests.support.builders import NOON

A_SECOND = timedelta(seconds=1)


class Died(BaseException):
    """The controller process went away; nothing in the engine may catch this."""


class FakeClock:
    """Stands still unless somebody waits; whoever waits can be interrupted by people."""

    def __init__(self) -> None:
        self._now = NOON
        self._monotonic = 0.0
        self.while_waiting: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def pause(self, duration: timedelta) -> None:
        self.advance(duration)
        self.while_waiting()

    def advance(self, duration: timedelta) -> None:
        self._now += duration
        self._monotonic += duration.total_seconds()

    def set_back(self, duration: timedelta) -> None:
        """Let the wall clock jump, as an administrator or NTP can."""
        self._now -= duration


class FakeJournal:
    """Satisfies ``Journal`` and ``Locks``; can kill its writer around a write, or break.

    Events go through their stored form, as they do in the real one.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._entries: dict[RunId, list[Entry]] = {}
        self._locks: dict[str, tuple[RunId, str]] = {}
        self._deaths: dict[tuple[str, int], None] = {}
        self.before_append: Callable[[], None] = lambda: None
        self._one_at_a_time = threading.Lock()
        self.writes = 0
        self.is_broken = False

    def die(self, when: str, *, write: int) -> None:
        """Kill the writer ``before`` or ``after`` its write of that number, counted from 1."""
        self._deaths[when, write] = None

    def live(self) -> None:
        """Kill nobody any more."""
        self._deaths.clear()

    def append(self, run: RunId, *, after: int, events: Sequence[Event]) -> Sequence[Entry]:
        self.before_append()
        number = self.writes + 1
        self._die_if_due("before", number)
        with self._one_at_a_time:
            written = self._append(run, after, events)
        self.writes = number
        self._die_if_due("after", number)
        return written

    def append_from_elsewhere(self, run: RunId, events: Sequence[Event]) -> None:
        """Write behind everything, as a process that nobody kills would."""
        with self._one_at_a_time:
            self._append(run, len(self.read(run)), events)

    def read(self, run: RunId, *, after: int = 0) -> Sequence[Entry]:
        return tuple(self._entries.get(run, ()))[after:]

    def take(self, resources: Sequence[str], *, run: RunId, holder: str) -> None:
        self._check_whole()
        with self._one_at_a_time:
            for resource in sorted(resources):
                owner, name = self._locks.get(resource, (run, holder))
                if owner != run and not self._has_ended(owner):
                    raise ResourceLocked(f"{resource} is locked by {name} with run {owner}")
            self._locks.update(dict.fromkeys(resources, (run, holder)))

    def release(self, run: RunId) -> None:
        self._check_whole()
        self._locks = {r: owner for r, owner in self._locks.items() if owner[0] != run}

    def holder_of(self, resource: str) -> RunId | None:
        return self._locks[resource][0] if resource in self._locks else None

    def _append(self, run: RunId, after: int, events: Sequence[Event]) -> Sequence[Entry]:
        self._check_whole()
        known = self._entries.setdefault(run, [])
        if after != len(known):
            raise JournalConflict(f"run {run}: entry {after} is not the newest")
        stored = [event_from_text(*event_to_text(event)) for event in events]
        written = [
            Entry(run=run, seq=seq, at=self._clock.now(), event=event, link=f"{run}:{seq}")
            for seq, event in enumerate(stored, start=after + 1)
        ]
        known.extend(written)
        return written

    def _has_ended(self, run: RunId) -> bool:
        return any(isinstance(entry.event, RunEnded) for entry in self.read(run))

    def _check_whole(self) -> None:
        if self.is_broken:
            raise JournalBroken("disk full")

    def _die_if_due(self, when: str, number: int) -> None:
        if (when, number) in self._deaths:
            del self._deaths[when, number]
            raise Died


class FakeCanary:
    """Writes a marker, walks and lives once a second while it runs; outlives its controller."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._since: datetime | None = None
        self._until: datetime | None = None
        self.is_reachable = True
        self.losses: frozenset[int] = frozenset()

    @property
    def is_running(self) -> bool:
        return self._since is not None and self._until is None

    def start(self) -> WatchStarted:
        self._reach()
        self._since = self._since or self._clock.now()
        return WatchStarted(skew_s=0.0, skew_error_s=0.001)

    def stop(self) -> None:
        self._reach()
        self._until = self._until or self._clock.now()

    def samples(self) -> Sequence[Sample]:
        self._reach()
        return [sample for seq in range(self._seconds()) for sample in self._second(seq)] + [
            Ended(at=self._until or self._clock.now(), why="stopped")
        ]

    def samples_file(self) -> str:
        return "samples.jsonl"

    def found(self) -> Found:
        """What the database holds of its markers."""
        numbers = (seq for seq in range(self._seconds()) if seq not in self.losses)
        return {MarkerId("", seq): 1 for seq in numbers}

    def _reach(self) -> None:
        if not self.is_reachable:
            raise TargetUnavailable("client-1: no route to host")

    def _seconds(self) -> int:
        """How many seconds it ran, a last one begun after the end included."""
        since = self._since or self._clock.now()
        until = self._until or self._clock.now()
        return int((until - since) / A_SECOND) + 2

    def _second(self, seq: int) -> Sequence[Sample]:
        at = (self._since or NOON) + (seq - 1) * A_SECOND
        return [
            MarkerWrite(seq=seq, sent=at, done=at, outcome=WriteOutcome.ACKNOWLEDGED),
            Walk(number=seq, sent=at, done=at, since=at, passed=True),
            *(Heartbeat(watcher=watcher, at=at) for watcher in Watcher),
            *(Heartbeat(watcher=watcher, at=at + A_SECOND) for watcher in Watcher),
        ]


class FakeVerifier:
    """Passes whatever it is not told to fail."""

    def __init__(self, canary: FakeCanary) -> None:
        self._canary = canary
        self.can_count = True
        self.failing: set[str] = set()

    def walk(self, journey: Journey, *, times: int) -> Sequence[CheckDone]:
        return [self._check("journey", journey.journey, f"{times} times in a row")]

    def run_suite(self, suite: str) -> Sequence[CheckDone]:
        return [self._check("suite", suite, "all tests")]

    def count_markers(self) -> Found:
        if not self.can_count:
            raise EvidenceIncomplete("the database does not answer")
        return self._canary.found()

    def _check(self, group: str, name: str, detail: str) -> CheckDone:
        verdict = Verdict.FAILED if name in self.failing else Verdict.PASSED
        return CheckDone(group=group, name=name, verdict=verdict, detail=detail)


class FakeArchive:
    """Keeps output in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def keep(self, name: str, text: str) -> str:
        self.kept[name] = text
        return f"output/{name}"
