from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.observation import (
    Ended,
    MarkerWrite,
    Sample,
    Unreadable,
    Walk,
    WriteOutcome,
)
from orchestrator.domain.strip import Scope, Service, Strip
from orchestrator.engine.reporting import report_of
from orchestrator.engine.reporting.strips import BUCKETS_AT_MOST
from tests.support.builders import a_journal, a_plan, after, created, finished, intended
from tests.support.stories import canary
from tests.support.switchovers import STORIES, held, verified


def strip_of(*samples: Sample, until: float = 2.0) -> Strip:
    plan = a_plan()
    entries = a_journal((0, created(plan)), (until, intended()))
    return report_of(plan, entries, samples=samples).strips[0]


def a_write(sent: float, done: float, outcome: WriteOutcome = WriteOutcome.ACKNOWLEDGED) -> Sample:
    return MarkerWrite(seq=1, sent=after(sent), done=after(done), outcome=outcome)


def services_at(strip: Strip, *seconds: float) -> list[Service]:
    width = timedelta(seconds=strip.bucket_s)
    return [strip.buckets[(after(s) - strip.since) // width].service for s in seconds]


@pytest.mark.parametrize("name", sorted(STORIES))
def test_strips_never_hold_more_buckets_than_a_page_can_show(name: str) -> None:
    strips = STORIES[name]().report().strips

    assert all(len(strip.buckets) <= BUCKETS_AT_MOST for strip in strips)
    assert len({strip.scope for strip in strips}) == len(strips) <= 3


@settings(deadline=None)
@given(st.floats(0.001, 400_000_000))
def test_buckets_cover_a_run_of_any_length(length: float) -> None:
    strip = strip_of(a_write(0, 0.001), until=length)

    assert strip.buckets[0].start == strip.since
    last = strip.buckets[-1].start
    assert last <= strip.until <= last + timedelta(seconds=strip.bucket_s)


def test_longest_gap_is_shown_close_up_at_a_finer_grain() -> None:
    strips = {strip.scope: strip for strip in verified().report().strips}

    close = strips[Scope.OUTAGE]
    assert close.bucket_s < strips[Scope.STEPS].bucket_s < strips[Scope.RUN].bucket_s
    assert {bucket.service for bucket in close.buckets} == {Service.OK, Service.HELD}


def test_run_without_a_gap_has_no_close_up() -> None:
    plan = a_plan()
    entries = a_journal((0, created(plan)), (1, intended()), (2, finished()), (3, finished()))

    strips = report_of(plan, entries, samples=canary(0, 3)).strips

    assert [strip.scope for strip in strips] == [Scope.RUN, Scope.STEPS]


def test_every_acknowledged_write_is_counted_once() -> None:
    story = verified()
    run = story.report().strips[0]
    acknowledged = [
        s for s in story.samples if isinstance(s, MarkerWrite) and run.since <= s.done <= run.until
    ]

    assert sum(bucket.acknowledged for bucket in run.buckets) == len(acknowledged)


def test_bucket_shows_the_worst_that_touched_it() -> None:
    strip = strip_of(
        a_write(0.1, 0.102),
        a_write(0.5, 0.9),
        a_write(1.2, 1.21, WriteOutcome.FAILED),
        a_write(1.2, 1.202),
        a_write(1.5, 1.6, WriteOutcome.UNKNOWN),
        a_write(1.99, 1.992),
    )

    assert services_at(strip, 0.1, 0.7, 1.205, 1.55, 1.8) == [
        Service.OK,
        Service.HELD,
        Service.BAD,
        Service.BAD,
        Service.OK,
    ]
    assert max(b.worst_ms or 0 for b in strip.buckets) == pytest.approx(400)


def test_failed_walk_is_an_error_from_its_first_failed_try() -> None:
    walk = Walk(
        number=1, sent=after(0.1), done=after(1.0), passed=False, since=after(0.5), action="x"
    )

    strip = strip_of(a_write(0.1, 0.101), walk, a_write(1.9, 1.901))

    assert services_at(strip, 0.2, 0.6, 1.2) == [Service.OK, Service.BAD, Service.OK]


def test_time_without_any_sign_of_the_canary_is_blind() -> None:
    strip = strip_of(a_write(1, 1.001), a_write(5, 5.001), until=8)

    assert services_at(strip, 0.5, 1, 3, 5, 7) == [
        Service.BLIND,
        Service.BLIND,
        Service.BLIND,
        Service.BLIND,
        Service.BLIND,
    ]
    assert services_at(strip_of(a_write(1, 1.001), a_write(2.5, 2.501), until=3), 2) == [
        Service.OK
    ]


def test_canary_that_only_ended_saw_nothing() -> None:
    strip = strip_of(Ended(at=after(1), why="disk full"), Unreadable(line="{"))

    assert {bucket.service for bucket in strip.buckets} == {Service.BLIND}


def test_strip_without_samples_is_empty_but_says_its_time() -> None:
    strip = strip_of()

    assert strip.buckets == ()
    assert strip.until - strip.since == timedelta(seconds=2)


def test_held_run_shows_errors_and_blindness() -> None:
    steps = next(s for s in held().report().strips if s.scope is Scope.STEPS)

    assert {bucket.service for bucket in steps.buckets} == set(Service)
