"""Scenario: something goes wrong before the point of no return."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.playbook import GateStop
from orchestrator.domain.run import (
    ExitCode,
    InvariantsChecked,
    PriorStateChecked,
    StepFinished,
    StepIntended,
    UndoFinished,
)
from orchestrator.domain.verdict import Verdict
from tests.support.fake_target import Fate, shows
from tests.support.recoveries import (
    APPROVED,
    BEFORE,
    FENCE,
    HOLD,
    NO_RETURN,
    PROMOTE,
    Rehearsal,
    a_fact_step,
    a_switchover,
)


@pytest.mark.parametrize(
    "fate",
    [
        pytest.param(Fate.FAILS, id="it failed"),
        pytest.param(Fate.LIES, id="it said done, and nothing happened"),
        pytest.param(Fate.LOST_WITHOUT_EFFECT, id="its answer was lost, and nothing happened"),
        pytest.param(Fate.UNREACHABLE, id="the target was not reached"),
    ],
)
def test_failed_step_lets_everything_be_taken_back_in_reverse(fate: Fate) -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("old", fate)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert rehearsal.ended.verdict is Verdict.FAILED
    assert [e.step for e in rehearsal.all_of(UndoFinished)] == ["stop-old-primary", "hold-traffic"]
    assert rehearsal.target.facts == BEFORE


def test_roll_back_proves_the_prior_state_and_accounts_for_users() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("old", Fate.FAILS)

    rehearsal.drive()

    assert [e.evidence.verdict for e in rehearsal.all_of(PriorStateChecked)] == [Verdict.PASSED]
    assert rehearsal.state.measured is not None
    assert rehearsal.state.measured.samples_file == "samples.jsonl"
    assert not rehearsal.canary.is_running
    assert rehearsal.journal.holder_of("service/orders-db") is None


def test_step_that_cannot_be_seen_is_unknown_and_taken_back() -> None:
    rehearsal = Rehearsal(a_switchover(steps=(HOLD, FENCE, PROMOTE), invariants=()))
    rehearsal.target.blind = {"old"}
    rehearsal.journal.before_append = lambda: _see_once_unknown(rehearsal)

    rehearsal.drive()

    assert rehearsal.all_of(StepFinished)[-1].outcome == "unknown"
    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert rehearsal.target.facts == BEFORE


@pytest.mark.parametrize(
    ("writes", "outcome"),
    [
        pytest.param("accepted", "failed", id="it still takes writes"),
        pytest.param("", "unknown", id="nobody can tell"),
    ],
)
def test_fence_that_is_not_proved_is_no_fence(writes: str, outcome: str) -> None:
    proved = replace(FENCE, prove=(shows("write", "refused"),))
    rehearsal = Rehearsal(a_switchover(steps=(proved, PROMOTE)))
    rehearsal.target.facts["write"] = writes
    rehearsal.target.blind = set() if writes else {"write"}

    rehearsal.drive()

    assert rehearsal.all_of(StepFinished)[-1].outcome == outcome
    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert rehearsal.done_to("new") == []


def test_step_without_undo_is_passed_over_on_the_way_back() -> None:
    checkpoint = replace(a_fact_step("checkpoint", "flushed", "yes"), changes_nothing=True)
    rehearsal = Rehearsal(a_switchover(steps=(HOLD, checkpoint, FENCE, PROMOTE)))
    rehearsal.target.will("old", Fate.FAILS)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert [e.step for e in rehearsal.all_of(UndoFinished)] == ["stop-old-primary", "hold-traffic"]


def test_undo_that_fails_holds_the_run_with_its_next_action() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("old", Fate.FAILS)
    rehearsal.target.will("traffic", Fate.WORKS, Fate.FAILS)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.HANDS_NEEDED
    assert rehearsal.held.reason == "undo of hold-traffic: failed: traffic is held"
    assert "take hold-traffic back by hand" in rehearsal.held.next_action
    assert rehearsal.held.owner == "ada"
    assert rehearsal.journal.holder_of("service/orders-db") is not None


def test_undo_that_cannot_be_seen_holds_as_unknown() -> None:
    rehearsal = Rehearsal(a_switchover(invariants=()))
    rehearsal.target.will("old", Fate.FAILS)
    rehearsal.journal.before_append = lambda: _go_blind_once_failed(rehearsal, "traffic")

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.UNKNOWN
    assert rehearsal.held.reason == "undo of hold-traffic: unknown: traffic cannot be seen"


def test_resuming_after_a_failed_undo_finds_what_hands_have_mended() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("old", Fate.FAILS)
    rehearsal.target.will("traffic", Fate.WORKS, Fate.FAILS)
    rehearsal.drive()
    rehearsal.target.facts["traffic"] = "flowing"

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert rehearsal.done_to("traffic") == ["held", "flowing"]
    assert "stop-old-primary: failed" in rehearsal.ended.summary


def test_resuming_after_a_failed_undo_tries_it_again_where_it_still_is_missing() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("old", Fate.FAILS)
    rehearsal.target.will("traffic", Fate.WORKS, Fate.FAILS)
    rehearsal.drive()

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert rehearsal.done_to("traffic") == ["held", "flowing", "flowing"]
    assert rehearsal.target.facts == BEFORE


def test_prior_state_that_is_not_proved_holds_the_run_until_it_is() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("old", Fate.FAILS)
    rehearsal.target.on_perform = lambda _action, _attempt: _promote_by_hand(rehearsal)

    rehearsal.drive()

    assert "prior state is not proved: new is rogue" in rehearsal.held.reason

    rehearsal.target.facts["new"] = "standby"
    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK


def test_playbook_that_names_no_prior_state_never_claims_it() -> None:
    rehearsal = Rehearsal(a_switchover(prior_state=()))
    rehearsal.target.will("old", Fate.FAILS)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.HANDS_NEEDED
    assert "nothing was looked at" in rehearsal.held.reason


def test_gate_that_refuses_half_way_takes_everything_back() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.facts["replay"] = "behind"

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert "target-has-everything: replay is behind" in rehearsal.ended.summary
    assert rehearsal.target.facts == {**BEFORE, "replay": "behind"}


def test_refusal_is_still_told_after_a_hold_on_the_way_back() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.facts["replay"] = "behind"
    rehearsal.target.will("traffic", Fate.WORKS, Fate.FAILS)
    rehearsal.drive()
    assert rehearsal.held.exit_code is ExitCode.HANDS_NEEDED

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert "the gate stayed shut: target-has-everything" in rehearsal.ended.summary


def test_invariant_broken_before_the_first_step_ends_the_run_untouched() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.facts["new"] = "primary"

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.REFUSED
    assert rehearsal.ended.verdict is Verdict.FAILED
    assert "one-primary: db-a1, db-a2 of 2" in rehearsal.ended.summary
    assert "nothing was changed" in rehearsal.ended.summary
    assert rehearsal.all_of(StepIntended) == []
    assert rehearsal.target.arrivals == []


def test_invariant_that_cannot_be_seen_counts_as_broken() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.blind = {"new"}

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.REFUSED
    assert "no answer from db-a2" in rehearsal.ended.summary


def test_invariant_broken_by_a_step_takes_everything_back() -> None:
    split = a_fact_step("split", "new", "primary", back_to="standby")
    rehearsal = Rehearsal(a_switchover(steps=(HOLD, split, FENCE)))

    rehearsal.drive()

    assert [e.step for e in rehearsal.all_of(StepIntended)] == ["hold-traffic", "split"]
    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert rehearsal.target.facts == BEFORE


def test_way_back_goes_on_though_the_broken_invariant_was_mended() -> None:
    split = a_fact_step("split", "new", "primary", back_to="standby")
    rehearsal = Rehearsal(a_switchover(steps=(split, FENCE)))
    rehearsal.target.will("new", Fate.WORKS, Fate.FAILS)
    rehearsal.drive()
    rehearsal.target.facts["new"] = "standby"

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert rehearsal.done_to("old") == []


def test_way_back_goes_on_though_the_unknown_step_can_be_seen_again() -> None:
    rehearsal = Rehearsal(a_switchover(steps=(HOLD, FENCE, PROMOTE), invariants=()))
    rehearsal.target.blind = {"old"}
    rehearsal.journal.before_append = lambda: _see_once_unknown(rehearsal)
    rehearsal.target.will("traffic", Fate.WORKS, Fate.FAILS)
    rehearsal.drive()
    rehearsal.target.facts["traffic"] = "flowing"

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert rehearsal.done_to("new") == []


def test_fresh_look_after_a_step_serves_as_the_one_before_the_next() -> None:
    rehearsal = Rehearsal()

    rehearsal.drive()

    before = [e.step for e in rehearsal.all_of(InvariantsChecked) if e.when == "before"]
    assert before == ["hold-traffic"]


def test_invariants_are_looked_at_again_when_the_last_look_is_old() -> None:
    asked = a_switchover(steps=(HOLD, GateStop(gate=NO_RETURN), FENCE, PROMOTE))
    patient = replace(asked.checklists[NO_RETURN], items=(APPROVED,))
    plan = replace(asked, checklists={**asked.checklists, NO_RETURN: patient})
    rehearsal = Rehearsal(plan)
    rehearsal.clock.while_waiting = lambda: _sign_after(rehearsal, timedelta(seconds=30))

    rehearsal.drive()

    before = [e.step for e in rehearsal.all_of(InvariantsChecked) if e.when == "before"]
    assert before == ["hold-traffic", "stop-old-primary"]
    assert rehearsal.exit_code is ExitCode.HANDS_NEEDED


def _see_once_unknown(rehearsal: Rehearsal) -> None:
    if any(finished.outcome == "unknown" for finished in rehearsal.all_of(StepFinished)):
        rehearsal.target.blind = set()


def _go_blind_once_failed(rehearsal: Rehearsal, fact: str) -> None:
    if any(finished.outcome == "failed" for finished in rehearsal.all_of(StepFinished)):
        rehearsal.target.blind = {fact}


def _promote_by_hand(rehearsal: Rehearsal) -> None:
    rehearsal.target.facts["new"] = "rogue"


def _sign_after(rehearsal: Rehearsal, delay: timedelta) -> None:
    rehearsal.clock.advance(delay)
    rehearsal.sign("change-approved")
