from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.playbook import (
    Action,
    Effect,
    GateStop,
    Parameter,
    ParameterKind,
    Probe,
    Step,
    Undo,
)
from orchestrator.domain.problem import Path
from orchestrator.engine.tracing import trace
from tests.support.playbooks import (
    A_MEMBER,
    LAST_LOOK,
    PARAMETERS,
    PREFLIGHT,
    STOP,
    a_fence,
    a_gate,
    a_look,
    a_playbook,
    a_probed_item,
    a_promotion,
)

GATE = GateStop(gate=LAST_LOOK)
KEEPING = a_look(keep={"last_lsn": "lsn"})
USING = a_look(values={"lsn": "${kept.last_lsn}"})
GATES = {name: a_gate(name) for name in (PREFLIGHT, LAST_LOOK)}


def test_reference_to_a_parameter_or_to_the_environment_names_something() -> None:
    look = a_look(values={"a": "${services.shop}", "b": "${hosts.db-a1.site}"})

    assert trace(a_playbook(probes={"end": look}), GATES) == ()


@pytest.mark.parametrize(
    ("spoiled", "path"),
    [
        pytest.param(
            replace(a_fence(), action=Action(kind="ssh", inputs={"on": "${databse.primary}"})),
            ("steps", 0, "ssh", "on"),
            id="in an action",
        ),
        pytest.param(
            replace(a_fence(), expect=(a_look(), a_look(values={"x": "${nothing}"}))),
            ("steps", 0, "expect", 1, "sql", "values", "x"),
            id="in what is expected",
        ),
        pytest.param(
            replace(a_fence(), prove=(Probe(kind="tcp", inputs={"on": "${nothing}"}),)),
            ("steps", 0, "prove", 0, "tcp", "on"),
            id="in a proof",
        ),
        pytest.param(
            replace(a_fence(), undo=Undo(action=STOP, expect=(a_look(query="${nothing}"),))),
            ("steps", 0, "undo", "expect", 0, "sql", "query"),
            id="in what an undo expects",
        ),
        pytest.param(
            replace(a_fence(), effect=Effect(fences="${nothing.primary}")),
            ("steps", 0, "effect", "fences"),
            id="in an effect",
        ),
    ],
)
def test_reference_that_names_nothing_is_found(spoiled: Step, path: Path) -> None:
    playbook = replace(a_playbook(), steps=(spoiled, GATE, a_promotion()))

    (finding,) = trace(playbook, GATES)

    assert (finding.document, finding.fault.path) == ("playbook", path)
    assert "names nothing" in finding.fault.what


def test_effect_has_to_refer_to_what_it_means() -> None:
    playbook = a_playbook(replace(a_fence(), effect=Effect(fences="database")), GATE)

    (finding,) = trace(playbook, GATES)

    assert finding.fault.what == "`database` is plain text"
    assert "${database}" in finding.fault.remedy


def test_reference_in_a_checklist_is_judged_by_the_playbook_that_uses_it() -> None:
    gates = {**GATES, PREFLIGHT: a_gate(PREFLIGHT, a_probed_item(a_look(on="${replica}")))}

    (finding,) = trace(a_playbook(), gates)

    assert finding.document == "checklist preflight"
    assert finding.fault.path == ("items", 0, "sql", "on")
    assert "`database-switchover` has no parameter" in finding.fault.why


@pytest.mark.parametrize("where", ["prior_state", "verify"])
def test_end_state_is_traced_too(where: str) -> None:
    look = a_look(values={"x": "${nothing}"})
    playbook = a_playbook(
        prior_state=(look,) if where == "prior_state" else (),
        probes={"end": look} if where == "verify" else {},
    )

    (finding,) = trace(playbook, GATES)

    assert finding.fault.path[0] == where


def test_parameter_that_nobody_uses_is_found() -> None:
    quiet = Parameter(kind=ParameterKind.DURATION, default="1h")

    (finding,) = trace(a_playbook(parameters={**PARAMETERS, "quiet_for": quiet}), GATES)

    assert finding.fault.path == ("parameters", "quiet_for")
    assert finding.fault.at_key


def test_missing_checklist_may_be_what_uses_a_parameter() -> None:
    quiet = Parameter(kind=ParameterKind.DURATION, default="1h")
    playbook = a_playbook(parameters={**PARAMETERS, "quiet_for": quiet})

    assert trace(playbook, {PREFLIGHT: a_gate(PREFLIGHT)}) == ()


def test_parameter_that_only_an_effect_names_is_used() -> None:
    steps = (replace(a_fence(), effect=Effect(fences="${other}")), GATE, a_promotion())

    assert trace(a_playbook(*steps, parameters={**PARAMETERS, "other": A_MEMBER}), GATES) == ()


@pytest.mark.parametrize(
    "member",
    [
        "${target}",
        "${database.primary}",
        "${database.last_primary}",
        "${database.entry.only}",
        "${services.orders-db.primary}",
    ],
)
def test_effect_may_name_whatever_is_one_member(member: str) -> None:
    steps = (replace(a_fence(), effect=Effect(fences=member)), GATE, a_promotion())

    assert trace(a_playbook(*steps), GATES) == ()


@pytest.mark.parametrize(
    ("effect", "word", "what"),
    [
        pytest.param(
            Effect(reprotects="orders-db/db-a1"), "reprotects", "is plain text", id="plain text"
        ),
        pytest.param(
            Effect(reprotects="${nobody}"), "reprotects", "names nothing", id="nothing at all"
        ),
        pytest.param(
            Effect(reprotects="${target.bystanders}"),
            "reprotects",
            "`${target.bystanders}` is not one member",
            id="several members",
        ),
        pytest.param(Effect(fences="${database}"), "fences", "is not one member", id="a service"),
        pytest.param(
            Effect(promotes="${services.orders-db}"), "promotes", "is not one", id="any service"
        ),
        pytest.param(
            Effect(fences="orders-db/${target.host}"),
            "fences",
            "is not one",
            id="a part of a name",
        ),
    ],
)
def test_effect_must_name_one_member(effect: Effect, word: str, what: str) -> None:
    steps = (replace(a_fence(), effect=effect), GATE, a_promotion())

    (finding,) = trace(a_playbook(*steps), GATES)

    assert finding.fault.path == ("steps", 0, "effect", word)
    assert what in finding.fault.what


def test_value_kept_by_a_step_can_be_bound_at_a_later_gate() -> None:
    fence = replace(a_fence(), expect=(KEEPING,))
    gates = {**GATES, LAST_LOOK: a_gate(LAST_LOOK, a_probed_item(USING))}

    assert trace(a_playbook(fence, GATE, a_promotion()), gates) == ()


def test_value_kept_at_a_gate_can_be_bound_in_its_steps_and_after_them() -> None:
    gates = {**GATES, PREFLIGHT: a_gate(PREFLIGHT, a_probed_item(KEEPING))}
    http = Probe(kind="http", inputs={"json": {"lsn": "${kept.last_lsn}"}})
    fence = replace(a_fence(), prove=(http,))

    assert trace(a_playbook(fence, GATE, probes={"end": USING}), gates) == ()


def test_undo_knows_what_its_own_step_has_kept() -> None:
    fence = replace(a_fence(), expect=(KEEPING,), undo=Undo(action=STOP, expect=(USING,)))

    assert trace(a_playbook(fence, GATE), GATES) == ()


def test_value_cannot_be_used_before_it_is_kept() -> None:
    steps = (replace(a_fence(), expect=(USING,)), replace(a_promotion(), expect=(KEEPING,)))

    (finding,) = trace(a_playbook(*steps), GATES)

    assert finding.fault.path == ("steps", 0, "expect", 0, "sql", "values", "lsn")
    assert "is not kept by any probe before" in finding.fault.what


@pytest.mark.parametrize(
    "probe",
    [
        pytest.param(a_look(query="select ${kept.last_lsn}"), id="in a query"),
        pytest.param(
            Probe(kind="ssh", inputs={"run": ["echo", "${kept.last_lsn}"]}), id="in a command"
        ),
        pytest.param(a_look(values={"x": "at ${kept.last_lsn}"}), id="as a part of a value"),
    ],
)
def test_what_a_target_said_never_becomes_a_part_of_something(probe: Probe) -> None:
    fence = replace(a_fence(), expect=(KEEPING,))
    gates = {**GATES, LAST_LOOK: a_gate(LAST_LOOK, a_probed_item(probe))}

    (finding,) = trace(a_playbook(fence, GATE, a_promotion()), gates)

    assert "cannot stand here" in finding.fault.what


def test_keep_that_is_no_mapping_keeps_nothing() -> None:
    fence = replace(a_fence(), expect=(a_look(keep="${target}"),))
    playbook = a_playbook(fence, GATE, probes={"end": USING})

    (finding,) = trace(playbook, GATES)

    assert "is not kept" in finding.fault.what
