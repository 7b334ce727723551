from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.checklist import ChecklistItem, Waive
from orchestrator.domain.playbook import Objectives, Parameter, ParameterKind, StepName
from orchestrator.domain.problem import Path
from orchestrator.engine.linting import lint_checklist, lint_playbook
from tests.support.playbooks import (
    A_MEMBER,
    A_SERVICE,
    LAST_LOOK,
    PARAMETERS,
    PREFLIGHT,
    a_fence,
    a_gate,
    a_look,
    a_playbook,
    a_probed_item,
)

GATES = {name: a_gate(name) for name in (PREFLIGHT, LAST_LOOK)}


def test_sound_playbook_has_no_faults() -> None:
    assert lint_playbook(a_playbook(), GATES) == ()


def test_playbook_that_promises_no_time_is_refused() -> None:
    (finding,) = lint_playbook(replace(a_playbook(), objectives=Objectives()), GATES)

    assert finding.fault.path == ("objectives",)
    assert "nothing is promised" in finding.fault.what


def test_time_until_users_are_back_is_promise_enough() -> None:
    promising = Objectives(back_within=timedelta(seconds=3))

    assert lint_playbook(replace(a_playbook(), objectives=promising), GATES) == ()


def test_missing_checklists_are_left_to_whoever_looks_for_files() -> None:
    assert lint_playbook(a_playbook(), {}) == ()


USED = {"extra": "${extra}"}


@pytest.mark.parametrize(
    ("parameter", "path", "phrase"),
    [
        pytest.param(
            Parameter(kind=ParameterKind.SERVICE),
            ("parameters", "extra"),
            "names no engine",
            id="a service of any engine",
        ),
        pytest.param(
            replace(A_MEMBER, member_of=""),
            ("parameters", "extra"),
            "a member of no service",
            id="a member of nothing",
        ),
        pytest.param(
            replace(A_MEMBER, member_of="target"),
            ("parameters", "extra"),
            "a member of no service",
            id="a member of a member",
        ),
        pytest.param(
            Parameter(kind=ParameterKind.DURATION, default="60"),
            ("parameters", "extra", "default"),
            "does not fit",
            id="a duration without its unit",
        ),
        pytest.param(
            Parameter(kind=ParameterKind.NUMBER, default="many"),
            ("parameters", "extra", "default"),
            "does not fit",
            id="a number in words",
        ),
        pytest.param(
            replace(A_MEMBER, default="best-candiate"),
            ("parameters", "extra", "default"),
            "does not fit",
            id="a member that no fact names",
        ),
    ],
)
def test_parameter_that_cannot_be_bound_is_a_fault(
    parameter: Parameter, path: Path, phrase: str
) -> None:
    look = a_look(values={"extra": "${extra}"})
    playbook = a_playbook(parameters={**PARAMETERS, "extra": parameter}, prior_state=(look,))

    (finding,) = lint_playbook(playbook, GATES)

    assert finding.fault.path == path
    assert phrase in finding.fault.what


@pytest.mark.parametrize(
    "parameter",
    [
        pytest.param(Parameter(kind=ParameterKind.DURATION, default="1h"), id="a duration"),
        pytest.param(Parameter(kind=ParameterKind.DURATION), id="a duration without default"),
        pytest.param(Parameter(kind=ParameterKind.NUMBER, default="16MiB"), id="a size"),
        pytest.param(Parameter(kind=ParameterKind.NUMBER, default="0.5"), id="a fraction"),
        pytest.param(Parameter(kind=ParameterKind.NUMBER), id="a number without default"),
        pytest.param(Parameter(kind=ParameterKind.TEXT, default="anything"), id="a text"),
    ],
)
def test_parameter_whose_default_fits_is_no_fault(parameter: Parameter) -> None:
    look = a_look(values={"extra": "${extra}"})
    playbook = a_playbook(parameters={**PARAMETERS, "extra": parameter}, prior_state=(look,))

    assert lint_playbook(playbook, GATES) == ()


def test_playbook_must_lock_something() -> None:
    (finding,) = lint_playbook(a_playbook(locks=()), GATES)

    assert finding.fault.path == ("locks",)
    assert "database, target" in finding.fault.remedy


@pytest.mark.parametrize("lock", ["databse", "quiet_for"])
def test_only_services_and_members_can_be_locked(lock: str) -> None:
    quiet = Parameter(kind=ParameterKind.DURATION, default="1h")
    look = a_look(values={"quiet": "${quiet_for}"})
    playbook = a_playbook(
        parameters={"database": A_SERVICE, "target": A_MEMBER, "quiet_for": quiet},
        locks=("database", lock),
        prior_state=(look,),
    )

    (finding,) = lint_playbook(playbook, GATES)

    assert finding.fault.path == ("locks", 1)


def test_step_name_stands_for_one_step() -> None:
    playbook = a_playbook(a_fence(), a_fence())

    (finding,) = lint_playbook(playbook, GATES)

    assert finding.fault.path == ("steps", 1, "step")
    assert "`stop-old-primary` is there already" in finding.fault.what


def test_same_gate_may_stand_at_several_places() -> None:
    gate = a_playbook().steps[1]
    playbook = a_playbook(a_fence(), gate, replace(a_fence(), name=StepName("again")), gate)

    assert lint_playbook(playbook, GATES) == ()


@pytest.mark.parametrize(
    ("item", "path", "phrase"),
    [
        pytest.param(
            replace(a_probed_item(), probe=None),
            ("items", 0),
            "answered by nobody",
            id="nobody answers",
        ),
        pytest.param(
            replace(a_probed_item(), role="database-owner"),
            ("items", 0),
            "answered by both",
            id="a probe and people answer",
        ),
        pytest.param(
            replace(a_probed_item(), people=0),
            ("items", 0, "people"),
            "nobody has to sign",
            id="zero people",
        ),
        pytest.param(
            replace(a_probed_item(), fresh_for=timedelta(0)),
            ("items", 0, "fresh_for"),
            "stale at once",
            id="no shelf life",
        ),
    ],
)
def test_item_that_nobody_can_answer_is_a_fault(
    item: ChecklistItem, path: Path, phrase: str
) -> None:
    (fault,) = lint_checklist(a_gate(PREFLIGHT, item))

    assert fault.path == path
    assert phrase in fault.what


def test_checklist_needs_items() -> None:
    (fault,) = lint_checklist(replace(a_gate(PREFLIGHT), items=()))

    assert fault.what == "there are no items"


def test_item_name_stands_for_one_question() -> None:
    (fault,) = lint_checklist(a_gate(PREFLIGHT, a_probed_item(), a_probed_item()))

    assert fault.path == ("items", 1, "item")


def test_item_may_be_answered_by_people() -> None:
    item = replace(a_probed_item(), probe=None, role="database-owner")

    assert lint_checklist(a_gate(PREFLIGHT, item)) == ()


@pytest.mark.parametrize(
    ("item", "path", "phrase"),
    [
        pytest.param(
            replace(a_probed_item(), probe=None, role="owner", waive=Waive(role="owner")),
            ("items", 0, "waive"),
            "is not answered by a probe",
            id="people who are asked anyway",
        ),
        pytest.param(
            replace(a_probed_item(), waive=Waive(role="owner", people=0)),
            ("items", 0, "waive", "people"),
            "nobody has to waive it",
            id="nobody",
        ),
    ],
)
def test_waiver_that_means_nothing_is_a_fault(
    item: ChecklistItem, path: Path, phrase: str
) -> None:
    (fault,) = lint_checklist(a_gate(PREFLIGHT, item))

    assert fault.path == path
    assert phrase in fault.what


def test_hard_item_of_a_probe_may_say_who_waives_it() -> None:
    item = replace(a_probed_item(), waive=Waive(role="owner", people=2))

    assert lint_checklist(a_gate(PREFLIGHT, item)) == ()
