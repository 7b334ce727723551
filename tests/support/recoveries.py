"""A small recovery in a world of facts, and what a person does around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from orchestrator.domain.checklist import Checklist, ChecklistItem, ItemName, Level, PersonName
from orchestrator.domain.environment import Environment, Person
from orchestrator.domain.plan import BoundInvariant, Mode, Plan
from orchestrator.domain.playbook import Action, ChecklistName, GateStop, Step, Undo
from orchestrator.domain.run import (
    DriverStarted,
    Entry,
    Event,
    ExitCode,
    RunEnded,
    RunHeld,
    StepIntended,
    UndoIntended,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine import requesting
from orchestrator.engine.execution import drive
from orchestrator.engine.folding import fold
from orchestrator.engine.ports import Attempt, World
from tests.support.builders import ADA, GRACE, PREFLIGHT, RUN, a_plan, a_step, an_environment
from tests.support.builders import created as run_created
from tests.support.fake_target import FAKE, FakeTarget, sets, shows
from tests.support.fakes import FakeArchive, FakeCanary, FakeClock, FakeJournal, FakeVerifier

E = TypeVar("E")

LIN = PersonName("lin")
NO_RETURN = ChecklistName("no-return")
CONFIRMED = ChecklistName("writes-confirmed")
LIMIT = timedelta(seconds=10)

BEFORE = {
    "replication": "streaming",
    "backup": "recent",
    "traffic": "flowing",
    "old": "primary",
    "replay": "complete",
    "new": "standby",
    "pooler": "old",
}
AFTER = {**BEFORE, "old": "stopped", "new": "primary", "pooler": "new"}

STREAMS = ChecklistItem(
    item=ItemName("standby-streams"),
    ask="Does the standby stream?",
    why="Writes would be lost.",
    fresh_for=timedelta(seconds=30),
    probe=shows("replication", "streaming"),
)
BACKUP = ChecklistItem(
    item=ItemName("backup-recent"),
    ask="Is there a recent backup?",
    why="There would be no way back.",
    fresh_for=timedelta(minutes=15),
    level=Level.SOFT,
    probe=shows("backup", "recent"),
)
APPROVED = ChecklistItem(
    item=ItemName("change-approved"),
    ask="Is the change approved?",
    why="Somebody else may be at work.",
    fresh_for=timedelta(minutes=30),
    role="database-owner",
)
CAUGHT_UP = ChecklistItem(
    item=ItemName("target-has-everything"),
    ask="Has the target replayed everything?",
    why="What it lacks would be lost.",
    fresh_for=timedelta(seconds=5),
    patience=timedelta(seconds=3),
    probe=shows("replay", "complete"),
)
WRITABLE = ChecklistItem(
    item=ItemName("users-can-write"),
    ask="Do the writes of users arrive?",
    why="This is what it was about.",
    fresh_for=timedelta(seconds=30),
    probe=shows("traffic", "flowing"),
)

ONE_PRIMARY = BoundInvariant(
    invariant="one-primary",
    why="Two would part ways.",
    probes={"db-a1": shows("old", "primary"), "db-a2": shows("new", "primary")},
    at_most=1,
)


def a_fact_step(
    name: str,
    fact: str,
    to: str,
    *,
    back_to: str = "",
    point_of_no_return: bool = False,
    repeatable: bool = False,
) -> Step:
    """A step that sets *fact*, and takes it back to *back_to* if that is given."""
    undo = Undo(action=sets(fact, back_to), expect=(shows(fact, back_to),), time_limit=LIMIT)
    return replace(
        a_step(name, action=sets(fact, to), undo=undo if back_to else None),
        expect=(shows(fact, to),),
        time_limit=LIMIT,
        point_of_no_return=point_of_no_return,
        repeatable=repeatable,
    )


HOLD = a_fact_step("hold-traffic", "traffic", "held", back_to="flowing", repeatable=True)
FENCE = a_fact_step("stop-old-primary", "old", "stopped", back_to="primary")
PROMOTE = a_fact_step("promote-target", "new", "primary", point_of_no_return=True)
TURN = a_fact_step("turn-pooler", "pooler", "new", repeatable=True)
RELEASE = a_fact_step("release-traffic", "traffic", "flowing", repeatable=True)


def people() -> dict[PersonName, Person]:
    return {
        ADA: Person(name="Ada Lovelace", roles=("on-call", "database-owner")),
        GRACE: Person(name="Grace Hopper", roles=("database-owner",)),
        LIN: Person(name="Lin Xu", roles=("on-call",)),
    }


def a_lab() -> Environment:
    return an_environment(people())


def a_switchover(
    *preflight: ChecklistItem, steps: Sequence[Step | GateStop] = (), **changes: object
) -> Plan:
    """Hold traffic, stop the old primary, pass the gate, promote, turn, release, confirm."""
    checklists = [
        _a_checklist(PREFLIGHT, *(preflight or (STREAMS,))),
        _a_checklist(NO_RETURN, CAUGHT_UP),
        _a_checklist(CONFIRMED, WRITABLE),
    ]
    usual = (HOLD, FENCE, GateStop(gate=NO_RETURN), PROMOTE, TURN, RELEASE)
    plan = a_plan(
        *(steps or (*usual, GateStop(gate=CONFIRMED))),
        checklists=checklists,
        invariants=(ONE_PRIMARY,),
        environment=a_lab(),
    )
    prior = (shows("traffic", "flowing"), shows("old", "primary"), shows("new", "standby"))
    probes = {"pooler-points-at-target": shows("pooler", "new")}
    plan = replace(plan, prior_state=prior, verify=replace(plan.verify, probes=probes))
    return replace(plan, **changes)  # type: ignore[arg-type]


class Rehearsal:
    """One run of a plan in a world of facts, from the moment it was asked for."""

    def __init__(self, plan: Plan | None = None, *, mode: Mode = Mode.LIVE) -> None:
        self.plan = plan or a_switchover()
        self.clock = FakeClock()
        self.journal = FakeJournal(self.clock)
        self.target = FakeTarget(self.clock, dict(BEFORE))
        self.canary = FakeCanary(self.clock)
        self.verifier = FakeVerifier(self.canary)
        self.archive = FakeArchive()
        self.drivers = 0
        self.target.on_perform = self._want_intent
        self.append(run_created(self.plan, mode))
        self.journal.take(self.plan.resources, run=RUN, holder=ADA)

    @property
    def world(self) -> World:
        return World(
            journal=self.journal,
            locks=self.journal,
            clock=self.clock,
            looker=self.target,
            actors={FAKE: self.target},
            canary=self.canary,
            verifier=self.verifier,
            archive=self.archive,
        )

    def drive(self) -> RunState:
        """Start a driver, as ``recover run`` and ``recover resume`` do."""
        self.drivers += 1
        return drive(
            self.plan, RUN, self.world, DriverStarted(pid=1000 + self.drivers, boot="b00t")
        )

    @property
    def entries(self) -> Sequence[Entry]:
        return self.journal.read(RUN)

    @property
    def state(self) -> RunState:
        return fold(RunState(run=RUN), self.entries)

    def all_of(self, kind: type[E]) -> list[E]:
        """Every event of that kind, oldest first."""
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]

    def done_to(self, fact: str) -> list[str]:
        """What was made of *fact*, in order, whether it had an effect or not."""
        return [arrival.to for arrival in self.target.arrivals if arrival.fact == fact]

    @property
    def ended(self) -> RunEnded:
        ended = self.state.ended
        assert ended is not None, f"not ended: {self.state.held}"
        return ended

    @property
    def held(self) -> RunHeld:
        held = self.state.held
        assert held is not None, f"not held: {self.state.ended}"
        return held

    @property
    def exit_code(self) -> ExitCode:
        return (self.state.ended or self.held).exit_code

    def sign(
        self,
        item: str,
        by: PersonName = GRACE,
        verdict: Verdict = Verdict.PASSED,
        *,
        comment: str = "",
        waives: bool = False,
    ) -> None:
        """Sign as the command line does."""
        state = self.state
        now = self.clock.now()
        self.append(
            requesting.sign(
                self.plan,
                state,
                item,
                by=by,
                verdict=verdict,
                comment=comment,
                waives=waives,
                now=now,
            )
        )

    def abort(self, by: PersonName = ADA) -> None:
        """Ask for an abort as the command line does."""
        self.append(requesting.abort(self.plan, self.state, by=by, reason="called off"))

    def retry(self, step: str, by: PersonName = ADA) -> None:
        """Let *step* be tried again, and resume."""
        self.append(requesting.retry(self.plan, self.state, step, by=by, reason="mended"))

    def append(self, *events: Event) -> None:
        """Write behind everything, as another process would."""
        self.journal.append_from_elsewhere(RUN, events)

    def _want_intent(self, action: Action, attempt: Attempt) -> None:
        """Intent is durable before the first byte."""
        undo = attempt.number == 0
        wanted = f"the intent of {'undo ' if undo else ''}{attempt.step}"
        intents = [e for e in self.entries if _is_intent(e.event, attempt)]
        assert intents, f"{wanted} is not in the journal"


def _is_intent(event: Event, attempt: Attempt) -> bool:
    if attempt.number == 0:
        return isinstance(event, UndoIntended) and event.step == attempt.step
    return event == StepIntended(step=attempt.step, attempt=attempt.number)


def _a_checklist(name: ChecklistName, *items: ChecklistItem) -> Checklist:
    return Checklist(checklist=name, title="What must be so", items=items)
