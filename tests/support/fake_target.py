"""A small world of facts: actions set them, probes look at them, and things go wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto

from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Action, Probe
from orchestrator.domain.run import Outcome
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import ActionReport, Attempt
from tests.support.fakes import Died, FakeClock

FAKE = "fake"
ONE_LOOK = timedelta(milliseconds=10)
ONE_ACTION = timedelta(milliseconds=200)


class Fate(Enum):
    """What becomes of an action."""

    WORKS = auto()
    FAILS = auto()
    LIES = auto()
    LOST_WITH_EFFECT = auto()
    LOST_WITHOUT_EFFECT = auto()
    UNREACHABLE = auto()
    KILLS_BEFORE = auto()
    KILLS_AFTER = auto()


_HAS_EFFECT = {Fate.WORKS, Fate.LOST_WITH_EFFECT, Fate.KILLS_AFTER}
_REPORTS = {
    Fate.WORKS: Outcome.DONE,
    Fate.LIES: Outcome.DONE,
    Fate.FAILS: Outcome.FAILED,
    Fate.LOST_WITH_EFFECT: Outcome.UNKNOWN,
    Fate.LOST_WITHOUT_EFFECT: Outcome.UNKNOWN,
}


def sets(fact: str, to: str) -> Action:
    """An action that makes *fact* be *to*."""
    return Action(kind=FAKE, inputs={"fact": fact, "to": to})


def shows(fact: str, value: str, **more: object) -> Probe:
    """A probe that wants to see *fact* be *value*."""
    return Probe(kind=FAKE, inputs={"fact": fact, "is": value, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Something that arrived at the target."""

    attempt: Attempt
    fact: str
    to: str


@dataclass(slots=True)
class FakeTarget:
    """Satisfies the ports ``Actor`` and ``Looker``, and remembers what was done to it.

    Attributes:
        fates: What becomes of the next actions on a fact; when used up, they work.
        blind: Facts that cannot be seen now.
        slow: How long one has to wait before a fact is seen.
        waited: How long each round of looks might have taken, with the facts looked at.
        on_perform: Called before the first byte reaches the target.
        output: What every action prints.
        look_takes: How long it takes to answer probes.
    """

    clock: FakeClock
    facts: dict[str, str]
    fates: dict[str, deque[Fate]] = field(default_factory=dict)
    blind: set[str] = field(default_factory=set)
    slow: dict[str, timedelta] = field(default_factory=dict)
    waited: list[tuple[timedelta, frozenset[str]]] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    on_perform: Callable[[Action, Attempt], None] = lambda _action, _attempt: None
    output: str = ""
    look_takes: timedelta = ONE_LOOK

    def will(self, fact: str, *fates: Fate) -> None:
        """Say what becomes of the next actions on *fact*."""
        self.fates[fact] = deque(fates)

    def perform(self, action: Action, attempt: Attempt, *, within: timedelta) -> ActionReport:
        fact, to = str(action.inputs["fact"]), str(action.inputs["to"])
        fates = self.fates.get(fact)
        fate = fates.popleft() if fates else Fate.WORKS
        if fate is Fate.UNREACHABLE:
            raise TargetUnavailable("no route to host")
        self.on_perform(action, attempt)
        self.arrivals.append(Arrival(attempt=attempt, fact=fact, to=to))
        self.clock.advance(ONE_ACTION)
        if fate in _HAS_EFFECT:
            self.facts[fact] = to
        if fate in {Fate.KILLS_BEFORE, Fate.KILLS_AFTER}:
            raise Died
        return ActionReport(outcome=_REPORTS[fate], detail=fate.name, output=self.output)

    def look(self, probes: Sequence[Probe], *, within: timedelta) -> Sequence[Evidence]:
        self.waited.append((within, frozenset(str(p.inputs["fact"]) for p in probes)))
        looks = [self._look_once(probe, within) for probe in probes]
        self.clock.advance(self.look_takes)
        return looks

    def look_until(self, probes: Sequence[Probe], *, within: timedelta) -> Sequence[Evidence]:
        looks = self.look(probes, within=within)
        if all(look.verdict is Verdict.PASSED for look in looks):
            return looks
        self.clock.advance(within)
        return self.look(probes, within=within)

    def _look_once(self, probe: Probe, within: timedelta) -> Evidence:
        fact, wanted = str(probe.inputs["fact"]), str(probe.inputs["is"])
        if fact in self.blind or self.slow.get(fact, within) > within:
            return self._evidence(Verdict.INCONCLUSIVE, f"{fact} cannot be seen")
        seen = self.facts.get(fact, "")
        name = str(probe.inputs.get("keep", ""))
        verdict = Verdict.PASSED if seen == wanted else Verdict.FAILED
        return self._evidence(verdict, f"{fact} is {seen}", {name: seen} if name else {})

    def _evidence(
        self, verdict: Verdict, summary: str, kept: dict[str, str] | None = None
    ) -> Evidence:
        return Evidence(verdict=verdict, summary=summary, at=self.clock.now(), kept=kept or {})
