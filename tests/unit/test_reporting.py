from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.plan import Mode
from orchestrator.domain.record import GateProgress
from orchestrator.domain.report import Standing
from orchestrator.domain.run import (
    ExitCode,
    RunEnded,
    RunHeld,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.reporting import report_of
from tests.support.builders import (
    ADA,
    a_journal,
    a_plan,
    a_step,
    created,
    ended,
    finished,
    intended,
)
from tests.support.switchovers import (
    STORIES,
    aborted,
    held,
    rolled_back,
    verified,
    waiting,
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(STORIES)), st.data())
def test_report_of_any_beginning_of_a_journal_passes_only_with_the_word_of_its_end(
    name: str, data: st.DataObject
) -> None:
    story = STORIES[name]()
    length = data.draw(st.integers(0, len(story.entries)))
    beginning = story.entries[:length]

    report = report_of(story.plan, beginning)

    has_passed = any(
        isinstance(e.event, RunEnded) and e.event.verdict is Verdict.PASSED for e in beginning
    )
    assert (report.verdict is Verdict.PASSED) is has_passed
    assert report.next_action
    assert len(report.steps) == len(tuple(story.plan.actions))


def test_run_without_an_entry_is_still_told() -> None:
    report = report_of(a_plan(), ())

    assert report.standing is Standing.GOING
    assert report.mode is None
    assert report.strips == ()
    assert report.times.as_of is None


@pytest.mark.parametrize(
    ("name", "headline", "standing", "verdict"),
    [
        ("verified", "Verified", Standing.ENDED, Verdict.PASSED),
        (
            "verified-with-a-waiver",
            "Verified, with reservations",
            Standing.ENDED,
            Verdict.DEGRADED,
        ),
        ("rolled-back", "Failed, rolled back", Standing.ENDED, Verdict.FAILED),
        ("held", "Held, outcome unknown", Standing.HELD, Verdict.INCONCLUSIVE),
        ("refused", "Refused by the gate", Standing.ENDED, Verdict.FAILED),
        ("waiting", "Waits for people", Standing.WAITING, Verdict.INCONCLUSIVE),
        ("aborted", "Aborted", Standing.ENDED, Verdict.FAILED),
        ("hostile", "Still going", Standing.GOING, Verdict.INCONCLUSIVE),
        ("long-winded", "Done, verification failed", Standing.ENDED, Verdict.FAILED),
    ],
)
def test_headline_says_how_a_run_stands(
    name: str, headline: str, standing: Standing, verdict: Verdict
) -> None:
    report = STORIES[name]().report()

    assert (report.headline, report.standing, report.verdict) == (headline, standing, verdict)


def test_run_held_for_hands_has_failed() -> None:
    story = held()
    *before, last = story.entries
    assert isinstance(last.event, RunHeld)
    event = replace(last.event, exit_code=ExitCode.HANDS_NEEDED)

    report = report_of(story.plan, (*before, replace(last, event=event)))

    assert report.verdict is Verdict.FAILED
    assert report.headline == "Held, failed, hands needed"
    assert report.owner == ADA
    assert report.exit_code is ExitCode.HANDS_NEEDED


def test_preflight_says_that_it_was_only_that() -> None:
    plan = a_plan()

    report = report_of(plan, a_journal((0, created(plan, Mode.PREFLIGHT)), (1, ended())))

    assert report.headline == "Preflight passed"


def test_run_that_ended_without_a_word_on_what_next_gets_one() -> None:
    plan = a_plan()
    end = ended(Verdict.DEGRADED)

    report = report_of(plan, a_journal((0, created(plan)), (1, intended()), (2, end)))

    assert report.next_action == "Nothing urgent: settle the reservations that are listed here."
    assert report_of(plan, aborted().entries).next_action.startswith("Read below")


def test_run_at_work_counts_its_steps() -> None:
    plan = a_plan(a_step("one"), a_step("two"))
    entries = a_journal((0, created(plan)), (1, intended("one")), (2, finished("one")))

    at_rest = report_of(plan, entries)
    at_work = report_of(
        plan, a_journal(*((e.seq, e.event) for e in entries), (9, intended("two")))
    )

    assert at_rest.summary == "1 of 2 steps are done."
    assert at_work.summary == "1 of 2 steps are done, two is at work."
    assert at_work.next_action == "Wait for it to end, or watch: recover attach r-20260102-1"


def test_gate_that_waits_names_what_is_missing() -> None:
    report = waiting().report()

    assert report.gates[0].progress is GateProgress.WAITING
    assert "change-approved" in report.summary
    assert "12:15:00" in report.next_action


def test_verification_without_checks_is_inconclusive() -> None:
    report = rolled_back().report()

    assert report.verification.verdict is Verdict.INCONCLUSIVE
    assert report.prior_state is not None
    assert report.prior_state.verdict is Verdict.PASSED


def test_same_run_is_always_told_the_same_way() -> None:
    assert verified().report() == verified().report()


def test_chain_head_is_the_last_link() -> None:
    story = verified()

    report = story.report()

    assert report.chain_head == story.entries[-1].link
    assert report.entries == len(story.entries)
    assert report.closure == story.plan.closure
