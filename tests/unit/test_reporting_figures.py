from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrator.domain.observation import Downtime, MarkerId
from orchestrator.domain.run import (
    WatchStarted,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.reporting import report_of
from tests.support.builders import (
    RUN,
    a_journal,
    a_measurement,
    a_plan,
    created,
)
from tests.support.switchovers import (
    aborted,
    held,
    verified,
)


def test_numbers_that_nobody_measured_are_unknown_not_zero() -> None:
    report = aborted().report()

    assert report.downtime.at_least_s is None
    assert report.writes.lost is None
    assert report.stalls.p99_ms is None
    assert report.objectives.downtime_verdict is Verdict.INCONCLUSIVE
    assert "Downtime and lost writes: client-1 does not answer on port 22" in report.not_verified


def test_writes_that_were_not_counted_are_not_called_found() -> None:
    writes = held().report().writes

    assert writes.acknowledged is not None
    assert writes.lost is None
    assert writes.duplicate is None


def test_measurement_without_two_writes_has_no_gap() -> None:
    plan = a_plan()

    report = report_of(plan, a_journal((0, created(plan))), measurement=a_measurement())

    assert report.downtime.at_most_s == 0
    assert report.downtime.longest_gap_ms is None
    assert report.stalls.max_ms is None


def test_objective_that_is_certainly_exceeded_is_missed_without_a_verification() -> None:
    plan = a_plan()
    downtime = Downtime(at_least=timedelta(seconds=2), at_most=timedelta(seconds=3))
    measurement = a_measurement()
    writes = replace(measurement.writes, lost=(MarkerId(RUN, 7),))
    late = timedelta(seconds=9)
    lost = replace(measurement, downtime=downtime, writes=writes, back_after=late)
    plan = replace(plan, objectives=replace(plan.objectives, back_within=timedelta(seconds=3)))

    objectives = report_of(plan, a_journal((0, created(plan))), measurement=lost).objectives

    assert objectives.downtime_verdict is Verdict.FAILED
    assert objectives.back_within_verdict is Verdict.FAILED
    assert objectives.lost_writes_verdict is Verdict.FAILED


def test_traffic_is_back_only_if_somebody_saw_it_back() -> None:
    assert verified().report().times.traffic_back is not None
    assert held().report().times.traffic_lost is not None
    assert held().report().times.traffic_back is None


def test_samples_are_told_by_the_controllers_clock() -> None:
    story = verified()
    late = [
        replace(e, event=replace(e.event, skew_s=5.0)) if isinstance(e.event, WatchStarted) else e
        for e in story.entries
    ]

    plain = report_of(story.plan, story.entries, samples=story.samples)
    shifted = report_of(story.plan, late, samples=story.samples)

    first = next(b.start for b in plain.strips[0].buckets if b.acknowledged)
    first_shifted = next(b.start for b in shifted.strips[0].buckets if b.acknowledged)
    assert first_shifted - first == timedelta(seconds=5)
