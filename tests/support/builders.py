"""Short ways to say the domain in a test; every default is the boring case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from orchestrator.domain.checklist import (
    Checklist,
    ChecklistItem,
    ItemName,
    Level,
    PersonName,
    SignOff,
)
from orchestrator.domain.environment import (
    Environment,
    EnvironmentKind,
    EnvironmentName,
    HostName,
    Person,
    Policy,
    Secret,
    ServiceName,
    Ssh,
    Watch,
)
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.journey import Journey, JourneyAction, JourneyActionKind, Place
from orchestrator.domain.observation import (
    Downtime,
    Measurement,
    WalkCount,
    Writes,
)
from orchestrator.domain.plan import BoundChild, BoundInvariant, Facts, Mode, Plan
from orchestrator.domain.playbook import (
    Action,
    ChecklistName,
    Effect,
    GateStop,
    JourneyName,
    JourneyTimes,
    Move,
    Objectives,
    PlaybookName,
    Probe,
    Step,
    StepName,
    Undo,
    Verification,
)
from orchestrator.domain.run import (
    Entry,
    Event,
    ExitCode,
    Outcome,
    RunCreated,
    RunEnded,
    RunId,
    StepFinished,
    StepIntended,
)
from orchestrator.domain.verdict import Verdict

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
RUN = RunId("r-20260102-1")
ADA = PersonName("ada")
GRACE = PersonName("grace")
PREFLIGHT = ChecklistName("preflight")
A_PROBE = Probe(kind="sql", inputs={"on": "orders-db/db-a1", "query": "select 1"})


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def some_evidence(
    verdict: Verdict = Verdict.PASSED, summary: str = "as expected", *, at: datetime = NOON
) -> Evidence:
    return Evidence(verdict=verdict, summary=summary, at=at)


def an_item(
    name: str = "replica-in-sync",
    *,
    ask: str = "Is the standby in sync?",
    role: str = "",
    level: Level = Level.HARD,
    people: int = 1,
) -> ChecklistItem:
    return ChecklistItem(
        item=ItemName(name),
        ask=ask,
        why="Writes would be lost.",
        fresh_for=timedelta(hours=1),
        level=level,
        probe=None if role else A_PROBE,
        role=role,
        people=people,
    )


def a_checklist(name: str = PREFLIGHT, *items: ChecklistItem) -> Checklist:
    return Checklist(
        checklist=ChecklistName(name), title="Before anything changes", items=items or (an_item(),)
    )


def a_sign_off(
    by: PersonName = GRACE,
    *,
    shown: str = "shown",
    verdict: Verdict = Verdict.PASSED,
    at: datetime = NOON,
    comment: str = "",
    is_waiver: bool = False,
) -> SignOff:
    return SignOff(
        by=by, shown=shown, verdict=verdict, at=at, comment=comment, is_waiver=is_waiver
    )


def a_step(
    name: str = "stop-old-primary",
    *,
    why: str = "Nobody may write to the old primary any more.",
    action: Action | None = None,
    undo: Undo | None = None,
    effect: Effect | None = None,
    point_of_no_return: bool = False,
) -> Step:
    run = {"on": "orders-db/db-a1", "run": ["systemctl", "stop", "postgresql@15-main"]}
    return Step(
        name=StepName(name),
        why=why,
        action=action or Action(kind="ssh", inputs=run),
        expect=(A_PROBE,),
        time_limit=timedelta(seconds=30),
        undo=undo,
        effect=effect or Effect(),
        point_of_no_return=point_of_no_return,
        if_you_stop_here="Clients wait in the pooler.",
    )


def an_environment(people: Mapping[PersonName, Person] | None = None) -> Environment:
    return Environment(
        environment=EnvironmentName("lab"),
        title="The lab",
        kind=EnvironmentKind.LAB,
        hosts={},
        sites={},
        services={},
        people=people
        or {
            ADA: Person(name="Ada Lovelace", roles=("on-call",)),
            GRACE: Person(name="Grace Hopper", roles=("database-owner",)),
        },
        policy=Policy(start=("on-call",)),
        ssh=Ssh(identity=Secret(file="id"), known_hosts=Secret(file="known_hosts")),
        watch=Watch(
            host=HostName("client-1"),
            service=ServiceName("orders-db"),
            journey=JourneyName("place-an-order"),
        ),
        invariants=(),
        journeys={},
    )


def a_plan(
    *steps: Move,
    title: str = "Move the primary role to a standby, planned",
    checklists: Iterable[Checklist] = (),
    parameters: Mapping[str, str] | None = None,
    invariants: tuple[BoundInvariant, ...] = (),
    verify: Verification | None = None,
    environment: Environment | None = None,
) -> Plan:
    known = tuple(checklists) or (a_checklist(),)
    return Plan(
        playbook=PlaybookName("database-switchover"),
        title=title,
        objectives=Objectives(downtime=timedelta(seconds=1)),
        parameters=parameters or {"target": "db-a2"},
        defaults={"target": "db-a2"},
        resources=("service/orders-db",),
        gate=known[0].checklist,
        checklists={checklist.checklist: checklist for checklist in known},
        steps=steps or (a_step(),),
        prior_state=(),
        verify=verify or Verification(journeys={}),
        invariants=invariants,
        environment=environment or an_environment(),
        facts=Facts(roles={}),
        closure={"playbooks/database-switchover/playbook.yaml": "ab" * 32},
    )


def a_plan_with_a_child(*steps: Step) -> Plan:
    """A plan whose last steps belong to an included playbook."""
    child = BoundChild(
        playbook=PlaybookName("database-reprotect"),
        title="Bring the old primary back",
        parameters={"member": "orders-db/db-a1"},
    )
    asked = a_checklist(ChecklistName("database-reprotect/is-it-down"), an_item("down"))
    name = "database-reprotect/rewind"
    plan = a_plan(a_step(), GateStop(gate=asked.checklist), a_step(name), *steps)
    return replace(
        plan,
        checklists={**plan.checklists, asked.checklist: asked},
        children={"database-reprotect": child},
    )


def a_journey_verification(times: int = 10) -> Verification:
    return Verification(
        journeys={JourneyName("place-an-order"): JourneyTimes(in_a_row=times)},
        suites=("tests/test_database.py",),
        probes={"old-primary-refuses": A_PROBE},
    )


def created(plan: Plan, mode: Mode = Mode.LIVE) -> RunCreated:
    return RunCreated(
        playbook=plan.playbook,
        plan_digest=plan.digest,
        environment=plan.environment.environment,
        mode=mode,
        requester=ADA,
    )


def intended(step: str = "stop-old-primary", attempt: int = 1) -> StepIntended:
    return StepIntended(step=StepName(step), attempt=attempt)


def finished(
    step: str = "stop-old-primary",
    outcome: Outcome = Outcome.DONE,
    *,
    attempt: int = 1,
    evidence: Evidence | None = None,
) -> StepFinished:
    return StepFinished(
        step=StepName(step),
        attempt=attempt,
        outcome=outcome,
        performed="exit code 0",
        evidence=evidence or some_evidence(),
    )


def ended(verdict: Verdict = Verdict.PASSED, exit_code: ExitCode = ExitCode.VERIFIED) -> RunEnded:
    return RunEnded(verdict=verdict, exit_code=exit_code, summary="orders-db is on db-a2")


def a_journal(*told: tuple[float, Event], run: RunId = RUN) -> tuple[Entry, ...]:
    """Entries of *run* from (seconds after noon, event) pairs."""
    return tuple(
        Entry(
            run=run,
            seq=seq,
            at=after(seconds),
            event=event,
            link=sha256(f"{run} {seq}".encode()).hexdigest(),
        )
        for seq, (seconds, event) in enumerate(told, start=1)
    )


def a_journey(name: str = "place-an-order") -> Journey:
    place = Place(here="shop/app-a1", there="shop/app-b1")
    look = JourneyAction(
        name="look", kind=JourneyActionKind.HTTP, inputs={"url": "${place.here}/health"}
    )
    return Journey(
        journey=JourneyName(name), title="Place an order", places=(place,), actions=(look,)
    )


def a_measurement(doubts: tuple[str, ...] = ()) -> Measurement:
    """Ten writes without any trouble."""
    return Measurement(
        downtime=Downtime(at_least=timedelta(0), at_most=timedelta(0)),
        gaps=None,
        outages=(),
        stalls=None,
        walk_times=None,
        writes=Writes(acknowledged=10, failed=0, unknown=0, counted=True),
        walks=WalkCount(passed=1, failed=0),
        errors=(),
        blind=(),
        doubts=doubts,
    )
