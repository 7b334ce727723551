"""Scenario: something goes wrong behind the point of no return."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.playbook import GateStop
from orchestrator.domain.run import (
    ExitCode,
    GateRefused,
    GateWaits,
    StepFinished,
    StepIntended,
    UndoIntended,
)
from tests.support.fake_target import Fate
from tests.support.recoveries import (
    APPROVED,
    CONFIRMED,
    FENCE,
    PROMOTE,
    TURN,
    Rehearsal,
    a_fact_step,
    a_switchover,
)


def test_failed_step_holds_with_the_words_of_its_author() -> None:
    turn = replace(TURN, if_it_fails="Write the address by hand, then retry.")
    rehearsal = Rehearsal(a_switchover(steps=(FENCE, PROMOTE, turn)))
    rehearsal.target.will("pooler", Fate.FAILS)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.HANDS_NEEDED
    assert rehearsal.held.owner == "ada"
    assert rehearsal.held.next_action == "Write the address by hand, then retry."
    assert rehearsal.all_of(UndoIntended) == []
    assert rehearsal.journal.holder_of("service/orders-db") is not None
    assert rehearsal.canary.is_running


def test_hold_of_a_step_whose_author_said_nothing_still_has_a_next_action() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("new", Fate.FAILS)

    rehearsal.drive()

    assert rehearsal.held.reason == "step promote-target: failed: new is standby"
    assert (
        rehearsal.held.next_action
        == "look at the target, then retry promote-target or abort the run"
    )


def test_retry_of_the_failed_step_goes_on_to_the_end() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("pooler", Fate.FAILS)
    rehearsal.drive()
    rehearsal.retry("turn-pooler")

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    attempts = [e.attempt for e in rehearsal.all_of(StepIntended) if e.step == "turn-pooler"]
    assert attempts == [1, 2]
    assert rehearsal.done_to("new") == ["primary"]


def test_resuming_without_a_retry_does_not_repeat_a_failed_step() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("pooler", Fate.FAILS)
    rehearsal.drive()

    rehearsal.drive()

    assert rehearsal.held.reason == "step turn-pooler: failed: pooler is old"
    assert rehearsal.done_to("pooler") == ["new"]


def test_unknown_step_is_settled_by_evidence_when_the_run_is_resumed() -> None:
    rehearsal = Rehearsal(a_switchover(invariants=()))
    rehearsal.target.will("new", Fate.LOST_WITH_EFFECT)
    rehearsal.target.blind = {"new"}
    rehearsal.drive()
    assert rehearsal.held.exit_code is ExitCode.UNKNOWN
    rehearsal.target.blind = set()

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert rehearsal.done_to("new") == ["primary"]
    promoted = [e for e in rehearsal.all_of(StepFinished) if e.step == "promote-target"]
    assert [(e.outcome, e.settled) for e in promoted] == [("unknown", False), ("done", True)]


def test_unknown_step_stays_unknown_however_long_it_lies() -> None:
    rehearsal = Rehearsal(a_switchover(invariants=()))
    rehearsal.target.blind = {"new"}
    rehearsal.drive()
    rehearsal.clock.advance(timedelta(days=7))

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.UNKNOWN
    assert rehearsal.done_to("new") == ["primary"]


def test_unknown_step_that_turns_out_undone_waits_for_a_person() -> None:
    rehearsal = Rehearsal(a_switchover(invariants=()))
    rehearsal.target.will("new", Fate.LOST_WITHOUT_EFFECT)
    rehearsal.target.blind = {"new"}
    rehearsal.drive()
    rehearsal.target.blind = set()

    rehearsal.drive()

    assert rehearsal.held.exit_code is ExitCode.HANDS_NEEDED
    assert rehearsal.done_to("new") == ["primary"]


def test_person_may_have_an_unknown_step_done_again() -> None:
    rehearsal = Rehearsal(a_switchover(invariants=()))
    rehearsal.target.will("new", Fate.LOST_WITHOUT_EFFECT)
    rehearsal.target.blind = {"new"}
    rehearsal.drive()
    rehearsal.target.blind = set()
    rehearsal.retry("promote-target")

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert rehearsal.done_to("new") == ["primary", "primary"]


def test_repeatable_step_that_was_lost_without_effect_is_done_again() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("pooler", Fate.LOST_WITHOUT_EFFECT)
    rehearsal.target.blind = {"pooler"}
    rehearsal.drive()
    assert rehearsal.held.exit_code is ExitCode.UNKNOWN
    rehearsal.target.blind = set()

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert rehearsal.done_to("pooler") == ["new", "new"]


def test_invariant_broken_behind_no_return_holds_until_it_is_true() -> None:
    revive = a_fact_step("revive-old-primary", "old", "primary")
    rehearsal = Rehearsal(a_switchover(steps=(FENCE, PROMOTE, revive, TURN)))
    rehearsal.drive()
    assert rehearsal.held.reason == "an invariant does not hold: one-primary: db-a1, db-a2 of 2"
    assert rehearsal.done_to("pooler") == []
    rehearsal.target.facts["old"] = "standby"

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert rehearsal.done_to("pooler") == ["new"]


def test_invariant_broken_by_the_last_step_holds_the_run() -> None:
    revive = a_fact_step("revive-old-primary", "old", "primary")
    rehearsal = Rehearsal(a_switchover(steps=(FENCE, PROMOTE, TURN, revive)))

    rehearsal.drive()

    assert rehearsal.held.reason == "an invariant does not hold: one-primary: db-a1, db-a2 of 2"
    assert rehearsal.state.checks == ()


def test_retry_under_a_broken_invariant_does_not_begin() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("pooler", Fate.FAILS)
    rehearsal.drive()
    rehearsal.retry("turn-pooler")
    rehearsal.target.facts["old"] = "primary"

    rehearsal.drive()

    assert rehearsal.held.reason == "an invariant does not hold: one-primary: db-a1, db-a2 of 2"
    assert rehearsal.done_to("pooler") == ["new"]


def test_gate_that_stays_shut_holds_and_is_asked_again_when_resumed() -> None:
    rehearsal = Rehearsal(a_switchover(steps=(FENCE, PROMOTE, TURN, _confirmed())))
    rehearsal.target.facts["traffic"] = "stuck"
    rehearsal.drive()
    assert (
        rehearsal.held.reason
        == "gate writes-confirmed stays shut: users-can-write: traffic is stuck"
    )
    rehearsal.target.facts["traffic"] = "flowing"

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert len(rehearsal.all_of(GateRefused)) == 1


def test_resumed_gate_gives_people_all_their_time_again() -> None:
    plan = a_switchover(steps=(FENCE, PROMOTE, _confirmed(), TURN))
    asking = replace(plan.checklists[CONFIRMED], items=(APPROVED,))
    rehearsal = Rehearsal(replace(plan, checklists={**plan.checklists, CONFIRMED: asking}))
    rehearsal.clock.while_waiting = lambda: rehearsal.clock.advance(timedelta(minutes=1))
    rehearsal.drive()
    assert "waits for 1 signature(s)" in rehearsal.held.reason
    rehearsal.clock.while_waiting = lambda: rehearsal.sign("change-approved")

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    first, second = (e.until for e in rehearsal.all_of(GateWaits))
    assert second > first


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        pytest.param("promote-target", "nothing is done twice", id="done already"),
        pytest.param("release-traffic", "is not held because of", id="not begun yet"),
        pytest.param("no-such-step", "is not held because of", id="unknown"),
    ],
)
def test_only_the_step_that_holds_the_run_can_be_retried(step: str, reason: str) -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("pooler", Fate.FAILS)
    rehearsal.drive()

    with pytest.raises(RequestRefused, match=reason):
        rehearsal.retry(step)


def test_step_of_a_run_that_turned_back_cannot_be_retried() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("old", Fate.FAILS, Fate.FAILS)
    rehearsal.target.will("traffic", Fate.WORKS, Fate.FAILS)
    rehearsal.drive()

    with pytest.raises(RequestRefused, match="takes back what it did"):
        rehearsal.retry("stop-old-primary")


def _confirmed() -> GateStop:
    return GateStop(gate=CONFIRMED)
