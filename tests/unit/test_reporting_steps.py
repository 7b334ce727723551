from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.observation import Outage, Watcher
from orchestrator.domain.playbook import Effect, StepName
from orchestrator.domain.record import Progress
from orchestrator.domain.run import (
    Event,
    Outcome,
    RetryRequested,
    UndoFinished,
    UndoIntended,
)
from orchestrator.engine.reporting import report_of
from tests.support.builders import (
    ADA,
    a_journal,
    a_measurement,
    a_plan,
    a_plan_with_a_child,
    a_step,
    after,
    created,
    finished,
    intended,
    some_evidence,
)
from tests.support.switchovers import (
    refused,
    rolled_back,
    verified,
)

STOP = StepName("stop-old-primary")


def test_step_of_an_included_playbook_is_told_under_its_title() -> None:
    steps = report_of(a_plan_with_a_child(), (), measurement=None, samples=()).steps

    assert [(step.name, step.part) for step in steps] == [
        ("stop-old-primary", ""),
        ("database-reprotect/rewind", "Bring the old primary back"),
    ]


def test_step_is_told_as_planned_and_as_it_went() -> None:
    step = verified().report().steps[2]

    assert step.name == "stop-old-primary"
    assert step.action == "systemctl stop postgresql@15-main"
    assert step.hosts == ("db-a1",)
    assert step.effect == "fences orders-db/db-a1"
    assert step.outcome is Progress.DONE
    assert step.duration_s == pytest.approx(0.043)
    assert step.downtime_s == pytest.approx(0.043)
    assert step.evidence is not None
    assert step.evidence.summary.startswith("db-a1 refuses")


def test_step_that_was_not_reached_has_no_numbers() -> None:
    step = rolled_back().report().steps[3]

    assert step.irreversible
    assert step.outcome is Progress.PENDING
    assert (step.started, step.duration_s, step.downtime_s) == (None, None, None)


def test_step_that_was_tried_twice_tells_both_tries() -> None:
    plan = a_plan(a_step())
    entries = a_journal(
        (0, created(plan)),
        (1, intended()),
        (2, finished(outcome=Outcome.FAILED)),
        (3, RetryRequested(by=ADA, step=STOP, reason="the cable is back")),
        (4, intended(attempt=2)),
        (6, finished(attempt=2)),
    )

    report = report_of(plan, entries)

    step = report.steps[0]
    assert [attempt.outcome for attempt in step.attempts] == [Outcome.FAILED, Outcome.DONE]
    assert step.duration_s == 5
    assert [d.what for d in report.deviations] == [
        "ada let stop-old-primary be tried again: the cable is back",
        "stop-old-primary was tried again, attempt 2",
    ]


def test_undo_belongs_to_its_step_with_its_downtime() -> None:
    plan = a_plan(a_step(effect=Effect(fences="orders-db/db-a1")))
    charges = {STOP: timedelta(seconds=2), "undo stop-old-primary": timedelta(seconds=1)}
    outage = Outage(
        start=after(1),
        end=after(4),
        seen_by=(Watcher.MARKERS,),
        charges=charges,
        between_steps=timedelta(0),
    )
    story: list[tuple[float, Event]] = [
        (0, created(plan)),
        (1, intended()),
        (3, finished(outcome=Outcome.FAILED)),
        (4, UndoIntended(step=STOP)),
    ]
    undone = UndoFinished(step=STOP, outcome=Outcome.DONE, performed="", evidence=some_evidence())

    going = report_of(plan, a_journal(*story))
    over = report_of(
        plan,
        a_journal(*story, (5, undone)),
        measurement=replace(a_measurement(), outages=(outage,)),
    )

    assert going.steps[0].undone is not None
    assert going.steps[0].undone.outcome is None
    assert going.unprotected is not None
    assert going.unprotected.until is None
    assert over.steps[0].undone is not None
    assert over.steps[0].undone.outcome is Outcome.DONE
    assert over.steps[0].downtime_s == 3
    assert over.unprotected is not None
    assert over.unprotected.at_most_s == 4


def test_fence_that_cannot_be_taken_back_leaves_the_service_unprotected() -> None:
    plan = a_plan(a_step(effect=Effect(fences="orders-db/db-a1")))
    failed = UndoFinished(
        step=STOP, outcome=Outcome.FAILED, performed="", evidence=some_evidence()
    )

    report = report_of(
        plan,
        a_journal((0, created(plan)), (1, intended()), (2, UndoIntended(step=STOP)), (3, failed)),
    )

    assert report.unprotected is not None
    assert report.unprotected.at_most_s is None


def test_redundancy_counts_as_reduced_from_the_fence_to_the_last_step() -> None:
    report = verified().report()

    assert report.unprotected is not None
    assert report.unprotected.since == report.steps[2].started
    assert report.unprotected.until == report.steps[-1].ended
    assert refused().report().unprotected is None


def test_step_may_fence_and_promote() -> None:
    plan = a_plan(a_step(effect=Effect(fences="a", promotes="b")))

    assert report_of(plan, ()).steps[0].effect == "fences a, promotes b"
