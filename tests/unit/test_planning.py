from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.environment import Fence, FenceLayer, FenceName
from orchestrator.domain.errors import ContentInvalid, RequestRefused
from orchestrator.domain.playbook import (
    Action,
    Parameter,
    ParameterKind,
    Probe,
    StepName,
    Verification,
)
from orchestrator.engine.planning import make_plan
from tests.support.builders import PREFLIGHT, a_step
from tests.support.data_centers import ORDERS, SILENT, SOUND, a_playbook, written
from tests.support.recoveries import NO_RETURN

POWER = Fence(
    fence=FenceName("power"),
    layer=FenceLayer.POWER,
    within=timedelta(seconds=5),
    kind="agent",
    inputs={"plug": "${member.host}"},
)


def test_same_input_gives_the_same_digest() -> None:
    assert make_plan(written(), {}, SOUND).digest == make_plan(written(), {}, SOUND).digest


@pytest.mark.parametrize(
    ("given", "closure"),
    [
        pytest.param({"target": "db-b1"}, {}, id="another target"),
        pytest.param({"quiet_for": "5m"}, {}, id="another value of a parameter"),
        pytest.param({}, {"playbook.yaml": "cd" * 32}, id="another byte in a file"),
    ],
)
def test_other_input_gives_another_digest(given: dict[str, str], closure: dict[str, str]) -> None:
    content = written()
    changed = replace(content, closure=closure or content.closure)

    assert make_plan(changed, given, SOUND).digest != make_plan(content, {}, SOUND).digest


def test_every_part_of_a_step_is_bound() -> None:
    step = make_plan(written(), {}, SOUND).step(StepName("promote"))

    assert step.action.inputs["on"] == "orders-db/db-a2"
    assert step.expect[0].inputs["on"] == "orders-db/db-a2"
    assert step.prove[0].inputs["on"] == "orders-db/db-a1"
    assert step.undo is not None
    assert step.undo.action.inputs["on"] == "orders-db/db-a1"
    assert step.undo.expect[0].inputs["on"] == "orders-db/db-a2"
    assert (step.effect.fences, step.effect.promotes) == ("orders-db/db-a1", "orders-db/db-a2")


def test_every_other_part_of_the_plan_is_bound() -> None:
    plan = make_plan(written(), {}, SOUND)

    look = plan.checklists[PREFLIGHT].items[0].probe
    assert look is not None
    assert look.inputs["none_within"] == 3600.0
    assert plan.prior_state[0].inputs["on"] == "orders-db/db-a2"
    assert plan.verify.probes["streams"].inputs["on"] == "orders-db/db-a2"
    assert {host: probe.inputs["on"] for host, probe in plan.invariants[0].probes.items()} == {
        "db-a1": "orders-db/db-a1",
        "db-a2": "orders-db/db-a2",
        "db-b1": "orders-db/db-b1",
    }


def test_the_fences_of_each_member_are_bound_to_it() -> None:
    content = written()
    database = replace(content.environment.services[ORDERS], fences=(POWER,))
    services = {**content.environment.services, ORDERS: database}
    content = replace(content, environment=replace(content.environment, services=services))

    fences = make_plan(content, {}, SOUND).fences

    assert {member: fence.inputs["plug"] for member, (fence,) in fences.items()} == {
        "orders-db/db-a1": "db-a1",
        "orders-db/db-a2": "db-a2",
        "orders-db/db-b1": "db-b1",
    }


def test_a_fence_that_refers_to_nothing_has_its_place_among_the_services() -> None:
    content = written()
    adrift = replace(POWER, inputs={"plug": "${member.outlet}"})
    database = replace(content.environment.services[ORDERS], fences=(adrift,))
    services = {**content.environment.services, ORDERS: database}
    content = replace(content, environment=replace(content.environment, services=services))

    with pytest.raises(ContentInvalid) as refused:
        make_plan(content, {}, SOUND)

    places = {problem.position.file for problem in refused.value.problems}
    assert places == {"services/services/orders-db/fences/0/agent/plug"}


def test_plan_knows_its_gates_its_locks_and_what_was_chosen() -> None:
    plan = make_plan(written(), {"quiet_for": "5m"}, SOUND)

    assert plan.gates == (PREFLIGHT, NO_RETURN)
    assert set(plan.checklists) == {PREFLIGHT, NO_RETURN}
    assert plan.resources == ("orders-db", "orders-db/db-a2")
    assert plan.parameters["quiet_for"] == "5m"
    assert plan.defaults == {"quiet_for": "1h"}


def test_parameter_without_a_default_cannot_deviate_from_it() -> None:
    playbook = a_playbook()
    ticket = Parameter(kind=ParameterKind.TEXT)
    asking = replace(playbook, parameters={**playbook.parameters, "ticket": ticket})

    plan = make_plan(written(asking), {"ticket": "CHG-2041"}, SOUND)

    assert "ticket" not in plan.defaults


def test_step_without_undo_stays_without() -> None:
    playbook = replace(a_playbook(), steps=(a_step("stop"),))

    assert make_plan(written(playbook), {}, SOUND).step(StepName("stop")).undo is None


def test_every_reference_that_names_nothing_is_listed_with_its_place() -> None:
    lost = Probe(kind="sql", inputs={"on": "${tagret}"})
    step = a_step("stop", action=Action(kind="ssh", inputs={"run": ["echo", "${nobody}"]}))
    playbook = replace(
        a_playbook(),
        steps=(step,),
        prior_state=(lost,),
        verify=Verification(journeys={}, probes={"streams": lost}),
    )

    with pytest.raises(ContentInvalid) as caught:
        make_plan(written(playbook), {}, SOUND)

    assert [problem.position.file for problem in caught.value.problems] == [
        "playbook/prior_state/0/sql/on",
        "playbook/steps/0/ssh/run/1",
        "playbook/verify/probes/streams/sql/on",
    ]
    assert "${nobody} names nothing that can stand here" in str(caught.value)


def test_target_that_is_the_primary_is_refused() -> None:
    with pytest.raises(RequestRefused, match="parameter target: db-a1 is the primary already"):
        make_plan(written(), {"target": "db-a1"}, SOUND)


def test_reference_to_a_primary_that_is_silent_is_refused_with_what_was_seen() -> None:
    playbook = a_playbook()
    target = replace(playbook.parameters["target"], default="best-candidate")
    failover = replace(playbook, parameters={**playbook.parameters, "target": target})

    with pytest.raises(RequestRefused) as caught:
        make_plan(written(failover), {}, SILENT)

    assert str(caught.value).count("orders-db has not exactly one primary") == 1
    assert "db-a1: does not answer (refused)" in str(caught.value)


@given(st.text(min_size=1))
def test_what_an_engineer_types_is_data_in_the_plan(typed: str) -> None:
    playbook = a_playbook()
    step = a_step("note", action=Action(kind="ssh", inputs={"run": ["echo", "${ticket}"]}))
    ticket = Parameter(kind=ParameterKind.TEXT)
    asking = replace(playbook, parameters={**playbook.parameters, "ticket": ticket}, steps=(step,))

    plan = make_plan(written(asking), {"ticket": typed}, SOUND)

    assert plan.step(StepName("note")).action.inputs["run"] == ["echo", typed]
