from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.observation import Downtime, MarkerId, Measurement, StepInterval, Writes
from orchestrator.domain.playbook import Objectives, StepName
from orchestrator.domain.run import (
    CheckDone,
    Event,
    GateOpened,
    Outcome,
    UndoFinished,
    UndoIntended,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.verification import compare_objectives, gate_opening, step_intervals
from tests.support.builders import (
    PREFLIGHT,
    a_journal,
    a_measurement,
    after,
    finished,
    intended,
    some_evidence,
)

A_SECOND = Objectives(downtime=timedelta(seconds=1))
BACK_IN_THREE = Objectives(back_within=timedelta(seconds=3))


def _downtime(at_least_s: float, at_most_s: float) -> Measurement:
    bounds = Downtime(at_least=timedelta(seconds=at_least_s), at_most=timedelta(seconds=at_most_s))
    return replace(a_measurement(), downtime=bounds)


def _writes(*, lost: int = 0, duplicate: int = 0, counted: bool = True) -> Measurement:
    writes = Writes(
        acknowledged=100,
        failed=0,
        unknown=0,
        counted=counted,
        lost=tuple(MarkerId("", seq) for seq in range(lost)),
        duplicate=tuple(MarkerId("", seq) for seq in range(duplicate)),
    )
    return replace(a_measurement(), writes=writes)


def _check(name: str, measurement: Measurement | None, objectives: Objectives) -> CheckDone:
    return next(c for c in compare_objectives(objectives, measurement) if c.name == name)


@pytest.mark.parametrize(
    ("at_least_s", "at_most_s", "expected"),
    [
        pytest.param(0.0, 1.0, Verdict.PASSED, id="surely within"),
        pytest.param(0.9, 1.1, Verdict.INCONCLUSIVE, id="perhaps within"),
        pytest.param(1.0, 1.1, Verdict.INCONCLUSIVE, id="just perhaps within"),
        pytest.param(1.1, 2.0, Verdict.FAILED, id="surely beyond"),
    ],
)
def test_downtime_passes_only_if_its_upper_bound_does(
    at_least_s: float, at_most_s: float, expected: Verdict
) -> None:
    check = _check("downtime", _downtime(at_least_s, at_most_s), A_SECOND)

    assert check.verdict is expected
    assert check.detail == f"{at_least_s:.3f}..{at_most_s:.3f} s, allowed 1 s"


@pytest.mark.parametrize(
    ("measurement", "allowed", "expected"),
    [
        pytest.param(_writes(), 0, Verdict.PASSED, id="none lost"),
        pytest.param(_writes(lost=1), 0, Verdict.FAILED, id="one lost"),
        pytest.param(_writes(lost=3), 3, Verdict.PASSED, id="as many as allowed"),
        pytest.param(_writes(duplicate=1), 3, Verdict.FAILED, id="one twice"),
        pytest.param(_writes(counted=False), 3, Verdict.INCONCLUSIVE, id="not counted"),
    ],
)
def test_lost_writes_are_counted_against_what_is_allowed(
    measurement: Measurement, allowed: int, expected: Verdict
) -> None:
    objectives = replace(A_SECOND, lost_writes=allowed)

    assert _check("lost-writes", measurement, objectives).verdict is expected


@pytest.mark.parametrize(
    ("back_after_s", "expected"),
    [
        pytest.param(3.0, Verdict.PASSED, id="just in time"),
        pytest.param(3.1, Verdict.FAILED, id="too late"),
        pytest.param(None, Verdict.INCONCLUSIVE, id="never seen back"),
    ],
)
def test_way_back_is_judged_from_the_gate(back_after_s: float | None, expected: Verdict) -> None:
    took = None if back_after_s is None else timedelta(seconds=back_after_s)
    measurement = replace(_downtime(600, 600), back_after=took)

    checks = list(compare_objectives(BACK_IN_THREE, measurement))

    assert {c.name: c.verdict for c in checks}["back-within"] is expected
    assert "downtime" not in {check.name for check in checks}


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        pytest.param(0, Verdict.INCONCLUSIVE, id="none that anybody knows of"),
        pytest.param(1, Verdict.FAILED, id="one all the same"),
    ],
)
def test_nothing_counts_as_kept_if_nobody_watched_before_the_fault(
    lost: int, expected: Verdict
) -> None:
    unseen = replace(_writes(lost=lost), seen_up_before=False)

    check = _check("lost-writes", unseen, A_SECOND)

    assert check.verdict is expected
    assert ("nobody was watching before" in check.detail) is (lost == 0)


def test_trigger_is_the_last_gate_that_opened_before_the_first_step() -> None:
    opened = GateOpened(gate=PREFLIGHT, verdict=Verdict.PASSED)
    story: list[tuple[float, Event]] = [
        (1.0, opened),
        (5.0, opened),
        (6.0, intended()),
        (7.0, finished()),
        (8.0, opened),
    ]

    assert gate_opening(a_journal(*story)) == after(5)
    assert gate_opening(a_journal(*story[:1])) == after(1)
    assert gate_opening(()) is None


def test_what_was_not_measured_never_passes() -> None:
    both = replace(A_SECOND, back_within=timedelta(seconds=3))

    checks = list(compare_objectives(both, None))

    assert {check.name for check in checks} == {"downtime", "back-within", "lost-writes"}
    assert {check.verdict for check in checks} == {Verdict.INCONCLUSIVE}


def test_doubts_of_the_watch_are_told() -> None:
    check = _check("canary", a_measurement(doubts=("blind for 3.0 s",)), A_SECOND)

    assert check.detail == "blind for 3.0 s"
    assert check.verdict is not Verdict.PASSED


def test_steps_and_undos_are_at_work_from_intent_to_outcome() -> None:
    undone = UndoFinished(
        step=StepName("stop"), outcome=Outcome.DONE, performed="", evidence=some_evidence()
    )
    entries = a_journal(
        (1, intended("stop")),
        (2, finished("stop", Outcome.FAILED)),
        (3, UndoIntended(step=StepName("stop"))),
        (5, undone),
        (6, intended("never-finished")),
    )

    assert step_intervals(entries) == (
        StepInterval(step="stop", start=after(1), end=after(2)),
        StepInterval(step="undo stop", start=after(3), end=after(5)),
    )
