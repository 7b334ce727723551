from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.playbook import Effect, GateStop, Move, Playbook, Step, StepName, Undo
from orchestrator.domain.problem import Fault, Path
from orchestrator.engine.composing import compose
from orchestrator.engine.safeguarding import lint_safeguards
from tests.support.playbooks import LAST_LOOK, STOP, a_fence, a_look, a_playbook, a_promotion

GATE = GateStop(gate=LAST_LOOK)


def faults_of(playbook: Playbook) -> list[Fault]:
    return list(lint_safeguards(compose(playbook, {})))


def a_harmless_step() -> Step:
    return replace(
        a_fence(),
        name=StepName("flush-to-disk"),
        effect=Effect(),
        prove=(),
        undo=None,
        changes_nothing=True,
    )


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param((a_fence(), GATE, a_promotion()), id="fence, gate, promotion"),
        pytest.param((a_harmless_step(), a_fence(), GATE, a_promotion()), id="a harmless step"),
        pytest.param((a_fence(),), id="no promotion at all"),
        pytest.param(
            (replace(a_fence(), undo=None, if_it_fails="Pull the plug."), GATE, a_promotion()),
            id="a fence that cannot be taken back and says what then",
        ),
        pytest.param(
            (
                replace(a_fence(), undo=None, point_of_no_return=True, if_it_fails="Call Grace."),
                replace(a_promotion(), point_of_no_return=False),
            ),
            id="the fence itself is the point of no return, behind the first gate",
        ),
    ],
)
def test_safe_order_of_steps_has_no_faults(steps: tuple[Move, ...]) -> None:
    assert faults_of(a_playbook(*steps)) == []


SPOILED: list[tuple[str, tuple[Move, ...], Path, str]] = [
    (
        "a step that expects nothing",
        (replace(a_fence(), expect=()), GATE, a_promotion()),
        ("steps", 0, "expect"),
        "expects nothing",
    ),
    (
        "an undo that expects nothing",
        (replace(a_fence(), undo=Undo(action=STOP)), GATE, a_promotion()),
        ("steps", 0, "undo"),
        "the undo of `stop-old-primary` expects nothing",
    ),
    (
        "a step without time",
        (replace(a_fence(), time_limit=timedelta(0)), GATE, a_promotion()),
        ("steps", 0, "time_limit"),
        "there is no time",
    ),
    (
        "a step that does not say where it leaves the world",
        (replace(a_fence(), if_you_stop_here=""), GATE, a_promotion()),
        ("steps", 0),
        "does not say where it leaves the world",
    ),
    (
        "a promotion without a fence",
        (a_harmless_step(), GATE, a_promotion()),
        ("steps", 2, "effect"),
        "no proven fence comes before",
    ),
    (
        "a fence behind the promotion",
        (
            a_harmless_step(),
            GATE,
            a_promotion(),
            replace(a_fence(), undo=None, if_it_fails="Call Grace."),
        ),
        ("steps", 2, "effect"),
        "no proven fence comes before",
    ),
    (
        "a promotion that is not the point of no return",
        (a_fence(), GATE, replace(a_promotion(), point_of_no_return=False, undo=a_fence().undo)),
        ("steps", 2),
        "promotes before the point of no return",
    ),
    (
        "no gate before the point of no return",
        (a_fence(), a_promotion()),
        ("steps", 1),
        "there is no gate directly before",
    ),
    (
        "a second point of no return",
        (
            a_fence(),
            GATE,
            a_promotion(),
            replace(a_promotion(), name=StepName("again"), effect=Effect()),
        ),
        ("steps", 3, "point_of_no_return"),
        "`again` is a second point of no return",
    ),
    (
        "a step that cannot be taken back",
        (replace(a_harmless_step(), changes_nothing=False), a_fence(), GATE, a_promotion()),
        ("steps", 0),
        "cannot be taken back",
    ),
    (
        "a fence that cannot be taken back and says nothing",
        (replace(a_fence(), undo=None), GATE, a_promotion()),
        ("steps", 0),
        "cannot be taken back",
    ),
    (
        "an undo that is never taken",
        (a_fence(), GATE, replace(a_promotion(), undo=a_fence().undo)),
        ("steps", 2, "undo"),
        "is never taken",
    ),
    (
        "no word on what to do when nothing can be taken back",
        (a_fence(), GATE, replace(a_promotion(), if_it_fails="")),
        ("steps", 2),
        "does not say what to do when it fails",
    ),
]


@pytest.mark.parametrize(
    ("steps", "path", "phrase"),
    [pytest.param(steps, path, phrase, id=name) for name, steps, path, phrase in SPOILED],
)
def test_unsafe_playbook_has_just_this_fault(
    steps: tuple[Move, ...], path: Path, phrase: str
) -> None:
    (fault,) = faults_of(a_playbook(*steps))

    assert fault.path == path
    assert phrase in fault.what


def test_fence_that_is_not_proved_counts_for_nothing() -> None:
    faults = faults_of(a_playbook(replace(a_fence(), prove=()), GATE, a_promotion()))

    assert [fault.path for fault in faults] == [("steps", 0), ("steps", 2, "effect")]
    assert "is not proved" in faults[0].what
    assert "no proven fence" in faults[1].what


def test_playbook_needs_steps() -> None:
    faults = faults_of(a_playbook(GATE))

    assert [fault.what for fault in faults] == ["there are no steps"]


def test_roll_back_has_to_be_proved() -> None:
    (fault,) = faults_of(a_playbook(prior_state=()))

    assert fault.path == ()
    assert fault.what == "`prior_state` is missing"


def test_nothing_to_take_back_needs_no_proof() -> None:
    assert faults_of(a_playbook(a_harmless_step(), prior_state=())) == []


def test_probes_that_prove_are_looks_as_well() -> None:
    fence = replace(a_fence(), prove=(a_look(), a_look()))

    assert faults_of(a_playbook(fence, GATE, a_promotion())) == []
