"""A small playbook that lints, to be spoiled in one place by each test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from orchestrator.domain.checklist import Checklist, ChecklistItem, ItemName
from orchestrator.domain.playbook import (
    Action,
    ChecklistName,
    ChildPlaybook,
    Effect,
    GateStop,
    Move,
    Objectives,
    Parameter,
    ParameterKind,
    Playbook,
    PlaybookName,
    Probe,
    Step,
    StepName,
    Undo,
    Verification,
)

PREFLIGHT = ChecklistName("preflight")
LAST_LOOK = ChecklistName("last-look")
STOP = Action(kind="ssh", inputs={"on": "${database.primary}", "run": ["stop"]})
PROMOTE = Action(kind="sql", inputs={"on": "${target}", "query": "select pg_promote(false)"})


def a_look(**inputs: object) -> Probe:
    return Probe(kind="sql", inputs={"on": "${target}", "query": "select 1", **inputs})


REFUSED = Probe(kind="sql_write", inputs={"on": "${database.primary}", "expect": "refused"})
A_SERVICE = Parameter(kind=ParameterKind.SERVICE, engine="postgresql")
A_MEMBER = Parameter(kind=ParameterKind.MEMBER, member_of="database", default="best-standby")
PARAMETERS: Mapping[str, Parameter] = {"database": A_SERVICE, "target": A_MEMBER}


def a_fence() -> Step:
    return Step(
        name=StepName("stop-old-primary"),
        why="Two members that take writes lose data.",
        action=STOP,
        expect=(a_look(),),
        prove=(REFUSED,),
        time_limit=timedelta(seconds=10),
        undo=Undo(action=STOP, expect=(a_look(),)),
        effect=Effect(fences="${database.primary}"),
        if_you_stop_here="Nobody can write.",
    )


def a_promotion() -> Step:
    return Step(
        name=StepName("promote-target"),
        why="Somebody has to take writes.",
        action=PROMOTE,
        expect=(a_look(),),
        time_limit=timedelta(seconds=10),
        effect=Effect(promotes="${target}"),
        point_of_no_return=True,
        if_you_stop_here="The target takes writes.",
        if_it_fails="Look at the target's log.",
    )


def a_playbook(
    *steps: Move | ChildPlaybook,
    parameters: Mapping[str, Parameter] = PARAMETERS,
    locks: tuple[str, ...] = ("database",),
    prior_state: tuple[Probe, ...] = (a_look(),),
    probes: Mapping[str, Probe] | None = None,
) -> Playbook:
    return Playbook(
        playbook=PlaybookName("database-switchover"),
        title="Move the primary role",
        objectives=Objectives(downtime=timedelta(seconds=1)),
        parameters=parameters,
        locks=locks,
        gate=PREFLIGHT,
        steps=steps or (a_fence(), GateStop(gate=LAST_LOOK), a_promotion()),
        verify=Verification(journeys={}, probes=probes or {}),
        prior_state=prior_state,
    )


def a_probed_item(probe: Probe | None = None, name: str = "one-primary") -> ChecklistItem:
    return ChecklistItem(
        item=ItemName(name),
        ask="Does exactly one member take writes?",
        why="With two, data has diverged already.",
        fresh_for=timedelta(minutes=1),
        probe=probe or a_look(),
    )


def a_gate(name: ChecklistName, *items: ChecklistItem) -> Checklist:
    return Checklist(checklist=name, title="May it go on?", items=items or (a_probed_item(),))
