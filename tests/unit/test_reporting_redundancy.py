"""How long a service had a member less than it should."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrator.domain.observation import Measurement, Outage, Watcher
from orchestrator.domain.playbook import Effect
from orchestrator.domain.report import Report
from orchestrator.domain.run import Event
from orchestrator.engine.reporting import report_of
from tests.support.builders import (
    a_journal,
    a_measurement,
    a_plan,
    a_step,
    after,
    created,
    finished,
    intended,
)

FENCE = a_step("fence", effect=Effect(fences="orders-db/db-a1"))
PROMOTE = a_step("promote", effect=Effect(promotes="orders-db/db-a2"))
REATTACH = a_step("reattach", effect=Effect(reprotects="orders-db/db-a1"))
PLAN = a_plan(FENCE, PROMOTE, REATTACH, a_step("tidy"))
OUTAGE = Outage(
    start=after(-12),
    end=after(3),
    seen_by=(Watcher.MARKERS,),
    charges={},
    between_steps=timedelta(0),
)
STORY: list[tuple[float, Event]] = [
    (0, created(PLAN)),
    (1, intended("fence")),
    (2, finished("fence")),
    (2, intended("promote")),
    (3, finished("promote")),
    (4, intended("reattach")),
    (9, finished("reattach")),
    (9, intended("tidy")),
    (10, finished("tidy")),
]


def _report(entries: int, measurement: Measurement | None = None) -> Report:
    return report_of(PLAN, a_journal(*STORY[:entries]), measurement=measurement)


def test_redundancy_is_missed_from_the_outage_to_the_step_that_gives_it_back() -> None:
    witnessed = replace(a_measurement(), outages=(OUTAGE,))

    without = _report(9, witnessed).unprotected

    assert without is not None
    assert (without.since, without.until) == (after(-12), after(9))
    assert (without.at_most_s, without.counted_from) == (21, "the outage")


def test_outage_without_a_witness_is_replaced_by_the_promotion_and_that_is_said() -> None:
    unwitnessed = replace(a_measurement(), outages=(OUTAGE,), seen_up_before=False)

    without = _report(9, unwitnessed).unprotected

    assert without is not None
    assert without.at_most_s == 7
    assert without.counted_from == "the promotion, as nobody saw the outage begin"


def test_redundancy_that_is_not_back_has_no_end() -> None:
    without = _report(6).unprotected

    assert without is not None
    assert without.until is None
    assert without.at_most_s is None


def test_run_that_took_nothing_away_missed_nothing() -> None:
    assert _report(3).unprotected is None


def test_outage_that_began_before_the_run_is_told_with_its_lead() -> None:
    witnessed = replace(a_measurement(), outages=(OUTAGE,), back_after=timedelta(seconds=1))

    downtime = _report(9, witnessed).downtime

    assert downtime.before_run_s == 12
    assert downtime.back_after_s == 1


def test_step_that_gives_a_standby_back_says_so() -> None:
    assert _report(1).steps[2].effect == "reprotects orders-db/db-a1"
