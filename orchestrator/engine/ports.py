"""What the engine needs from the outside world, as protocols that adapters satisfy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.domain.environment import Service
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.journey import Journey
from orchestrator.domain.observation import Found, Sample
from orchestrator.domain.plan import Roles
from orchestrator.domain.playbook import Action, Probe, StepName
from orchestrator.domain.run import CheckDone, Entry, Event, Outcome, RunId, WatchStarted


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The identity of one try at one step, and so its idempotency key."""

    run: RunId
    step: StepName
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionReport:
    """What an action says of itself. Never a verdict: the probes decide.

    Attributes:
        outcome: ``UNKNOWN`` when the connection or the deadline was lost on the way.
        detail: One line for a person.
        output: Everything that was printed, head and tail if it was long.
    """

    outcome: Outcome
    detail: str
    output: str = ""


class Prober(Protocol):
    """Looks at the world in one way, changing nothing."""

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Look once. What cannot be seen in time is ``INCONCLUSIVE``; never raises for that."""
        ...


class Looker(Protocol):
    """Looks with several probes at once, each through the prober of its kind."""

    def look(self, probes: Sequence[Probe], *, within: timedelta) -> Sequence[Evidence]:
        """Look once with each, side by side; answers stand in the order of the questions."""
        ...

    def look_until(self, probes: Sequence[Probe], *, within: timedelta) -> Sequence[Evidence]:
        """Look again with those that have not passed, until all have or the time is over."""
        ...


class Actor(Protocol):
    """Does one kind of thing to the world."""

    def perform(self, action: Action, attempt: Attempt, *, within: timedelta) -> ActionReport:
        """Do it once and say what is known. The caller has journalled the attempt before."""
        ...


class Journal(Protocol):
    """The append-only record of runs: the only truth about them."""

    def append(self, run: RunId, *, after: int, events: Sequence[Event]) -> Sequence[Entry]:
        """Write *events* behind entry number *after*, durably and all together.

        Raises:
            JournalConflict: If *after* is no longer the newest entry. Nothing was written.
            JournalBroken: If the record cannot be written. Stop mutating.
        """
        ...

    def read(self, run: RunId, *, after: int = 0) -> Sequence[Entry]:
        """Return every entry behind number *after*, oldest first."""
        ...


class Locks(Protocol):
    """Who holds which resource. Below every entry point."""

    def take(self, resources: Sequence[str], *, run: RunId, holder: str) -> None:
        """Take all of them or none.

        Raises:
            ResourceLocked: With the holder's name.
        """
        ...

    def release(self, run: RunId) -> None:
        """Give back whatever *run* holds."""
        ...


class Canary(Protocol):
    """The synthetic user on the client's side of the network."""

    def start(self) -> WatchStarted:
        """Start it, or find it running.

        Raises:
            TargetUnavailable: If nobody will be watching.
        """
        ...

    def samples(self) -> Sequence[Sample]:
        """Fetch everything it has seen so far."""
        ...

    def samples_file(self) -> str:
        """Return the name under which the samples are kept beside the journal."""
        ...

    def stop(self) -> None:
        """Let it write its last line and end."""
        ...


class Verifier(Protocol):
    """Walks journeys and runs host suites at the end."""

    def walk(self, journey: Journey, *, times: int) -> Sequence[CheckDone]:
        """Walk *journey* so often in a row from the client's side."""
        ...

    def run_suite(self, suite: str) -> Sequence[CheckDone]:
        """Run one pytest suite against the hosts; a suite without tests is inconclusive."""
        ...

    def count_markers(self) -> Found:
        """Look up in the database which marker writes of this run are there, and how often.

        Raises:
            EvidenceIncomplete: If the database does not answer.
        """
        ...


class FactFinder(Protocol):
    """Looks up what a plan needs to know before it can be bound."""

    def roles(self, service: Service) -> Roles:
        """Find out which member of *service* is what."""
        ...


class Archive(Protocol):
    """Big output of one run, kept beside its journal."""

    def keep(self, name: str, text: str) -> str:
        """Store *text* under *name* and return the name to refer to it by."""
        ...


class Clock(Protocol):
    """Time, as far as the engine needs it."""

    def now(self) -> datetime:
        """Return the wall clock, aware UTC: to be written down, not to be waited on."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        ...

    def pause(self, duration: timedelta) -> None:
        """Let time pass."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a driver acts through."""

    journal: Journal
    locks: Locks
    clock: Clock
    looker: Looker
    actors: Mapping[str, Actor]
    canary: Canary
    verifier: Verifier
    archive: Archive
