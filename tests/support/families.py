"""Playbooks in playbooks: a failover that brings the old primary back, and one above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from orchestrator.domain.playbook import (
    Action,
    ChecklistName,
    ChildPlaybook,
    Effect,
    GateStop,
    JourneyName,
    JourneyTimes,
    Move,
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
from tests.support.playbooks import (
    A_MEMBER,
    A_SERVICE,
    LAST_LOOK,
    a_fence,
    a_playbook,
    a_promotion,
)

FAILOVER = PlaybookName("database-failover")
REPROTECT = PlaybookName("database-reprotect")
CUTOVER = PlaybookName("datacenter-cutover")
IS_IT_DOWN = ChecklistName("is-it-down")
QUIET = Parameter(kind=ParameterKind.DURATION, default="1h")
GIVEN = {"database": "${database}", "member": "${database.last_primary}"}


def a_look_at(who: str) -> Probe:
    return Probe(kind="sql", inputs={"on": who, "query": "select 1"})


def a_rewind(name: str = "rewind") -> Step:
    """A step that says what to do when it fails, and can be taken back."""
    action = Action(kind="ansible", inputs={"play": "ansible/rewind.yml", "on": "${member}"})
    return Step(
        name=StepName(name),
        why="The service must end as redundant as it began.",
        action=action,
        expect=(a_look_at("${member}"),),
        time_limit=timedelta(seconds=10),
        undo=Undo(action=action, expect=(a_look_at("${member}"),)),
        effect=Effect(reprotects="${member}"),
        if_you_stop_here="There is one standby less.",
        if_it_fails="Read the member's log.",
    )


def a_reprotection(*steps: Move | ChildPlaybook) -> Playbook:
    """Brings one member back; sound alone."""
    strayed = replace(A_MEMBER, default="strayed-member")
    return Playbook(
        playbook=REPROTECT,
        title="Bring a member back",
        objectives=a_playbook().objectives,
        parameters={"database": A_SERVICE, "member": strayed, "quiet_for": QUIET},
        locks=("database", "member"),
        gate=IS_IT_DOWN,
        steps=steps or (a_rewind(),),
        verify=Verification(
            journeys={JourneyName("place-an-order"): JourneyTimes(in_a_row=3)},
            suites=("tests/test_member.py",),
            probes={"streams": a_look_at("${member}")},
        ),
        prior_state=(Probe(kind="runs", inputs={"on": "${member}", "age": "${quiet_for}"}),),
    )


def a_failover(
    *steps: Move | ChildPlaybook, given: Mapping[str, str] = GIVEN, name: PlaybookName = FAILOVER
) -> Playbook:
    """Fences, promotes, and then brings the old primary back, by a child."""
    own = (a_fence(), GateStop(gate=LAST_LOOK), a_promotion())
    playbook = a_playbook(*(steps or (*own, ChildPlaybook(playbook=REPROTECT, given=given))))
    return replace(
        playbook,
        playbook=name,
        verify=Verification(
            journeys={JourneyName("place-an-order"): JourneyTimes(in_a_row=10)},
            suites=("tests/test_failover.py",),
            probes={"streams": a_look_at("${target}")},
        ),
    )


def known(*playbooks: Playbook) -> Mapping[PlaybookName, Playbook]:
    return {playbook.playbook: playbook for playbook in playbooks}
