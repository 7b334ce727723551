"""Scenario: somebody calls the run off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.playbook import GateStop
from orchestrator.domain.run import ExitCode, GateWaits, StepFinished, StepIntended, UndoFinished
from orchestrator.domain.verdict import Verdict
from tests.support.builders import PREFLIGHT
from tests.support.fake_target import Fate
from tests.support.recoveries import (
    APPROVED,
    BEFORE,
    CONFIRMED,
    FENCE,
    HOLD,
    PROMOTE,
    STREAMS,
    TURN,
    Rehearsal,
    a_switchover,
)


def test_abort_before_the_driver_starts_ends_the_run_untouched() -> None:
    rehearsal = Rehearsal()
    rehearsal.abort()

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ABORTED
    assert rehearsal.ended.summary == "aborted by ada; nothing was changed"
    assert rehearsal.target.arrivals == []
    assert not rehearsal.canary.is_running


def test_abort_while_people_are_asked_ends_the_run_untouched() -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))
    rehearsal.clock.while_waiting = rehearsal.abort

    rehearsal.drive()

    assert len(rehearsal.all_of(GateWaits)) == 1
    assert rehearsal.exit_code is ExitCode.ABORTED
    assert rehearsal.target.arrivals == []
    assert rehearsal.state.measured is not None


def test_abort_before_no_return_takes_back_what_was_done() -> None:
    rehearsal = Rehearsal()
    _abort_during(rehearsal, "old")

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ABORTED
    assert "prior state proved by probes" in rehearsal.ended.summary
    assert [e.step for e in rehearsal.all_of(UndoFinished)] == ["stop-old-primary", "hold-traffic"]
    assert rehearsal.target.facts == BEFORE


def test_step_that_runs_during_the_abort_is_seen_to_its_end() -> None:
    rehearsal = Rehearsal()
    _abort_during(rehearsal, "old")

    rehearsal.drive()

    assert [e.step for e in rehearsal.all_of(StepFinished)] == ["hold-traffic", "stop-old-primary"]


def test_abort_behind_no_return_holds_and_takes_nothing_back() -> None:
    rehearsal = Rehearsal()
    _abort_during(rehearsal, "new")

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ABORTED
    assert rehearsal.held.reason == "aborted by ada after the point of no return"
    assert rehearsal.target.facts["new"] == "primary"
    assert rehearsal.done_to("pooler") == []


def test_second_abort_ends_the_held_run_where_it_stands() -> None:
    rehearsal = Rehearsal()
    _abort_during(rehearsal, "new")
    rehearsal.drive()

    rehearsal.abort()
    rehearsal.drive()

    assert rehearsal.ended.exit_code is ExitCode.ABORTED
    assert "where it was held" in rehearsal.ended.summary
    assert rehearsal.ended.next_action
    assert rehearsal.done_to("pooler") == []


def test_held_run_that_is_aborted_ends_its_canary_and_accounts_for_it() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("pooler", Fate.FAILS)
    rehearsal.drive()
    rehearsal.abort()

    rehearsal.drive()

    assert rehearsal.ended.exit_code is ExitCode.ABORTED
    assert not rehearsal.canary.is_running
    assert rehearsal.state.measured is not None
    assert rehearsal.state.measured.measurement["writes"]
    assert rehearsal.journal.holder_of("service/orders-db") is None


def test_abort_twice_of_a_held_run_ends_it_where_it_stands() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("pooler", Fate.FAILS)
    rehearsal.drive()
    rehearsal.abort()
    rehearsal.abort()

    rehearsal.drive()

    assert "where it was held" in rehearsal.ended.summary
    assert rehearsal.done_to("pooler") == ["new"]


def test_abort_at_a_gate_behind_no_return_holds() -> None:
    plan = a_switchover(steps=(FENCE, PROMOTE, TURN, GateStop(gate=CONFIRMED)))
    rehearsal = Rehearsal(plan)
    _abort_during(rehearsal, "pooler")

    rehearsal.drive()

    assert rehearsal.held.exit_code is ExitCode.ABORTED
    assert "writes-confirmed" not in rehearsal.state.opened


def test_abort_after_the_last_step_says_that_nothing_was_taken_back() -> None:
    rehearsal = Rehearsal(a_switchover(steps=(FENCE, PROMOTE, TURN)))
    _abort_during(rehearsal, "pooler")

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ABORTED
    assert rehearsal.ended.verdict is Verdict.INCONCLUSIVE
    assert rehearsal.ended.summary == (
        "aborted by ada; every step was done by then and stays done"
    )


def test_abort_after_a_retry_was_allowed_stops_it() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("pooler", Fate.FAILS)
    rehearsal.drive()
    rehearsal.retry("turn-pooler")
    rehearsal.target.on_perform = lambda _action, _attempt: None
    rehearsal.journal.before_append = lambda: _abort_once_driven(rehearsal)

    rehearsal.drive()

    assert rehearsal.done_to("pooler") == ["new"]
    assert rehearsal.held.exit_code is ExitCode.ABORTED


def test_abort_of_a_run_that_holds_on_its_way_back_ends_it() -> None:
    rehearsal = Rehearsal(a_switchover(steps=(HOLD, FENCE, PROMOTE)))
    rehearsal.target.will("old", Fate.FAILS, Fate.FAILS)
    rehearsal.target.will("traffic", Fate.WORKS, Fate.FAILS)
    rehearsal.drive()

    rehearsal.abort()
    rehearsal.drive()

    assert rehearsal.ended.verdict is Verdict.FAILED


def test_abort_of_an_unknown_run_stays_unknown() -> None:
    rehearsal = Rehearsal(a_switchover(invariants=()))
    rehearsal.target.blind = {"new"}
    rehearsal.drive()

    rehearsal.abort()
    rehearsal.drive()

    assert rehearsal.ended.verdict is Verdict.INCONCLUSIVE


def test_abort_that_arrives_while_the_hold_is_written_is_not_lost() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("pooler", Fate.FAILS)
    rehearsal.journal.before_append = lambda: _abort_once_failed(rehearsal)

    rehearsal.drive()

    assert rehearsal.state.abort is not None
    kinds = [type(entry.event).__name__ for entry in rehearsal.entries[-2:]]
    assert kinds == ["AbortRequested", "RunHeld"]


def test_run_that_has_ended_cannot_be_aborted() -> None:
    rehearsal = Rehearsal()
    rehearsal.drive()

    with pytest.raises(RequestRefused, match="has ended"):
        rehearsal.abort()


def test_run_whose_first_gate_is_open_begins_nothing_after_an_abort() -> None:
    rehearsal = Rehearsal(replace(a_switchover()))
    rehearsal.journal.before_append = lambda: _abort_once_opened(rehearsal)

    rehearsal.drive()

    assert PREFLIGHT in rehearsal.state.opened
    assert rehearsal.all_of(StepIntended) == []
    assert rehearsal.exit_code is ExitCode.ABORTED


def _abort_during(rehearsal: Rehearsal, fact: str) -> None:
    def abort_once(action: object, attempt: object) -> None:
        del attempt
        if rehearsal.state.abort is None and f"'{fact}'" in str(action):
            rehearsal.abort()

    rehearsal.target.on_perform = abort_once


def _abort_once_driven(rehearsal: Rehearsal) -> None:
    if rehearsal.state.abort is None and rehearsal.drivers == 2 and rehearsal.state.held is None:
        rehearsal.abort()


def _abort_once_failed(rehearsal: Rehearsal) -> None:
    failed = any(finished.outcome == "failed" for finished in rehearsal.all_of(StepFinished))
    if failed and rehearsal.state.abort is None:
        rehearsal.abort()


def _abort_once_opened(rehearsal: Rehearsal) -> None:
    if PREFLIGHT in rehearsal.state.opened and rehearsal.state.abort is None:
        rehearsal.abort()
