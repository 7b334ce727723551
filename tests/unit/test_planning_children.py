from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from orchestrator.domain.errors import ContentInvalid, RequestRefused
from orchestrator.domain.plan import Facts, Plan
from orchestrator.domain.playbook import (
    Action,
    ChildPlaybook,
    GateStop,
    JourneyName,
    JourneyTimes,
    Playbook,
    StepName,
)
from orchestrator.engine.planning import make_plan
from tests.support.data_centers import SILENT, SOUND, written
from tests.support.families import (
    CUTOVER,
    FAILOVER,
    GIVEN,
    IS_IT_DOWN,
    REPROTECT,
    a_failover,
    a_look_at,
    a_reprotection,
    a_rewind,
    known,
)
from tests.support.playbooks import (
    LAST_LOOK,
    PREFLIGHT,
    a_fence,
    a_gate,
    a_probed_item,
    a_promotion,
)

CHECKLISTS = {
    PREFLIGHT: a_gate(PREFLIGHT),
    LAST_LOOK: a_gate(LAST_LOOK),
    IS_IT_DOWN: a_gate(IS_IT_DOWN, a_probed_item(a_look_at("${member}"))),
}
REPROTECTED = ChildPlaybook(playbook=REPROTECT, given=GIVEN)


def plan_of(
    playbook: Playbook, *others: Playbook, facts: Facts = SOUND, given: Mapping[str, str] = {}
) -> Plan:
    content = replace(written(playbook), checklists=CHECKLISTS, playbooks=known(*others))
    return make_plan(content, given, facts)


def test_child_is_bound_to_what_its_parent_gives_it() -> None:
    plan = plan_of(a_failover(), a_reprotection(), given={"target": "db-b1"})

    rewind = plan.step(StepName("database-reprotect/rewind"))
    assert rewind.action.inputs["on"] == "orders-db/db-a1"
    assert rewind.effect.reprotects == "orders-db/db-a1"
    assert plan.children["database-reprotect"].parameters == {
        "database": "orders-db",
        "member": "orders-db/db-a1",
        "quiet_for": "1h",
    }
    assert plan.parameters == {"database": "orders-db", "target": "orders-db/db-b1"}


def test_parameter_of_the_parent_is_handed_down_as_it_was_given() -> None:
    failover = a_failover(given={**GIVEN, "quiet_for": "${quiet_for}"})
    quiet = a_reprotection().parameters["quiet_for"]
    asking = replace(failover, parameters={**failover.parameters, "quiet_for": quiet})

    plan = plan_of(asking, a_reprotection(), given={"quiet_for": "5m"})

    assert plan.children["database-reprotect"].parameters["quiet_for"] == "5m"


def test_checklist_of_a_child_is_bound_to_the_child_and_named_after_it() -> None:
    plan = plan_of(a_failover(), a_reprotection())

    assert plan.gates == (PREFLIGHT, LAST_LOOK, "database-reprotect/is-it-down")
    checklist = plan.checklists[plan.gates[2]]
    assert checklist.checklist == plan.gates[2]
    assert checklist.items[0].probe == a_look_at("orders-db/db-a1")


def test_locks_of_all_are_taken_together() -> None:
    assert plan_of(a_failover(), a_reprotection()).resources == ("orders-db", "orders-db/db-a1")


def test_what_must_hold_at_the_end_is_put_together() -> None:
    verify = plan_of(a_failover(), a_reprotection()).verify

    assert verify.journeys == {JourneyName("place-an-order"): JourneyTimes(in_a_row=10)}
    assert verify.suites == ("tests/test_failover.py", "database-reprotect/tests/test_member.py")
    assert verify.probes == {
        "streams": a_look_at("orders-db/db-a2"),
        "database-reprotect/streams": a_look_at("orders-db/db-a1"),
    }


def test_prior_state_is_that_of_all_that_can_be_taken_back() -> None:
    before = a_failover(REPROTECTED, a_fence(), GateStop(gate=LAST_LOOK), a_promotion())
    own = len(plan_of(a_failover()).prior_state)

    assert len(plan_of(a_failover(), a_reprotection()).prior_state) == own
    assert len(plan_of(before, a_reprotection()).prior_state) == own + 1


def test_one_digest_covers_the_children() -> None:
    other = a_reprotection(replace(a_rewind(), why="Because."))

    plan = plan_of(a_failover(), a_reprotection())

    assert plan.digest == plan_of(a_failover(), a_reprotection()).digest
    assert plan.digest != plan_of(a_failover(), other).digest


def test_child_of_a_child_is_bound_through_both() -> None:
    given = {"database": "${database}", "target": "${target}"}
    cutover = a_failover(ChildPlaybook(playbook=FAILOVER, given=given), name=CUTOVER)

    plan = plan_of(cutover, a_failover(), a_reprotection(), given={"target": "db-b1"})

    chain = "database-failover/database-reprotect"
    assert list(plan.children) == ["database-failover", chain]
    promote = plan.step(StepName("database-failover/promote-target"))
    assert promote.effect.promotes == "orders-db/db-b1"
    assert plan.child_of(f"{chain}/rewind") == chain
    assert plan.child_of("database-failover/promote-target") == "database-failover"
    assert plan.child_of("rewind") == ""
    assert plan.as_seen_by(chain).parameters == plan.children[chain].parameters
    assert (plan.as_seen_by(chain).playbook, plan.as_seen_by("")) == (REPROTECT, plan)


def test_child_may_be_given_a_member_that_is_still_the_primary() -> None:
    plan = plan_of(a_failover(), a_reprotection(), facts=SOUND)

    assert plan.children["database-reprotect"].parameters["member"] == "orders-db/db-a1"


def test_child_whose_default_finds_nobody_refuses_the_whole() -> None:
    failover = a_failover(given={"database": "${database}"})

    with pytest.raises(RequestRefused, match="every member of orders-db streams from db-a1"):
        plan_of(failover, a_reprotection())


def test_child_that_is_given_what_nobody_found_refuses_the_whole() -> None:
    target = replace(a_failover().parameters["target"], default="best-candidate")
    failover = a_failover(given={**GIVEN, "member": "${database.primary}"})
    failover = replace(failover, parameters={**failover.parameters, "target": target})

    with pytest.raises(RequestRefused, match="orders-db has not exactly one primary"):
        plan_of(failover, a_reprotection(), facts=SILENT)


def test_reference_that_dangles_in_a_child_has_its_place_there() -> None:
    lost = Action(kind="ssh", inputs={"on": "${membre}"})

    with pytest.raises(ContentInvalid) as caught:
        plan_of(a_failover(), a_reprotection(replace(a_rewind(), action=lost, undo=None)))

    (problem,) = caught.value.problems
    assert problem.position.file == "playbook database-reprotect/steps/0/ssh/on"


def test_reference_that_dangles_in_what_a_child_is_given_has_its_place_in_the_parent() -> None:
    failover = a_failover(given={**GIVEN, "member": "${database.nobody}"})

    with pytest.raises(ContentInvalid) as caught:
        plan_of(failover, a_reprotection())

    (problem,) = caught.value.problems
    assert problem.position.file == "playbook/steps/3/with/member"
