"""Scenario: others write to the run while it is driven."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import pytest

from orchestrator.domain.errors import JournalConflict
from orchestrator.domain.playbook import StepName
from orchestrator.domain.run import (
    AbortRequested,
    DriverStarted,
    ExitCode,
    ManualStepAnswered,
    StepFinished,
    StepIntended,
)
from orchestrator.domain.verdict import Verdict
from tests.support.builders import GRACE
from tests.support.recoveries import APPROVED, STREAMS, Rehearsal, a_switchover

NEWER = DriverStarted(pid=4711, boot="b00t")


def _abort_once(rehearsal: Rehearsal) -> None:
    if rehearsal.state.abort is None and rehearsal.state.opened:
        rehearsal.abort()


def _note_something_at_every_other_write(rehearsal: Rehearsal) -> None:
    noted = ManualStepAnswered(
        step=StepName("none"), attempt=1, by=GRACE, verdict=Verdict.PASSED, comment="by the way"
    )
    is_my_turn = cycle((True, False))

    def note() -> None:
        if next(is_my_turn):
            rehearsal.append(noted)

    rehearsal.journal.before_append = note


def _take_once(rehearsal: Rehearsal) -> None:
    if NEWER not in rehearsal.all_of(DriverStarted):
        rehearsal.append(NEWER)


def _supersede_while_waiting(rehearsal: Rehearsal) -> None:
    rehearsal.clock.while_waiting = lambda: _take_once(rehearsal)


def _supersede_at_write(rehearsal: Rehearsal) -> None:
    def take_before_the_first_intent() -> None:
        if rehearsal.state.opened and not rehearsal.all_of(StepIntended):
            _take_once(rehearsal)

    rehearsal.journal.before_append = take_before_the_first_intent


def _supersede_in_action(rehearsal: Rehearsal) -> None:
    rehearsal.target.on_perform = lambda _action, _attempt: _take_once(rehearsal)


def test_signature_that_comes_between_reading_and_writing_is_not_lost() -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))
    rehearsal.clock.while_waiting = lambda: rehearsal.sign("change-approved")
    _note_something_at_every_other_write(rehearsal)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert [entry.seq for entry in rehearsal.entries] == list(range(1, len(rehearsal.entries) + 1))
    assert len(rehearsal.done_to("new")) == 1


def test_abort_that_comes_just_before_the_intent_stops_the_step() -> None:
    rehearsal = Rehearsal()
    rehearsal.journal.before_append = lambda: _abort_once(rehearsal)

    rehearsal.drive()

    assert rehearsal.target.arrivals == []
    assert rehearsal.exit_code is ExitCode.ABORTED


def test_broken_invariant_is_not_forgotten_when_others_write_before_it() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.facts["new"] = "primary"
    _note_something_at_every_other_write(rehearsal)

    rehearsal.drive()

    assert rehearsal.target.arrivals == []
    assert rehearsal.exit_code is ExitCode.REFUSED


def test_result_is_recorded_though_others_wrote_meanwhile() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.on_perform = lambda _action, _attempt: _abort_once(rehearsal)

    rehearsal.drive()

    assert [e.step for e in rehearsal.all_of(StepFinished)] == ["hold-traffic"]
    assert len(rehearsal.all_of(AbortRequested)) == 1


@pytest.mark.parametrize(
    "superseded",
    [
        pytest.param(_supersede_while_waiting, id="while it waits for people"),
        pytest.param(_supersede_at_write, id="just before it writes"),
        pytest.param(_supersede_in_action, id="while it acts"),
    ],
)
def test_driver_that_was_superseded_stops(superseded: Callable[[Rehearsal], None]) -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))
    rehearsal.clock.while_waiting = lambda: rehearsal.sign("change-approved")
    superseded(rehearsal)

    with pytest.raises(JournalConflict, match="another driver has taken run"):
        rehearsal.drive()

    assert rehearsal.entries[-1].event == NEWER


def test_driver_that_is_superseded_as_it_starts_does_nothing() -> None:
    rehearsal = Rehearsal()
    rehearsal.journal.before_append = lambda: _take_once(rehearsal)

    with pytest.raises(JournalConflict):
        rehearsal.drive()

    assert rehearsal.all_of(DriverStarted) == [NEWER]


def test_newer_driver_settles_what_the_superseded_one_had_begun() -> None:
    rehearsal = Rehearsal()
    _supersede_in_action(rehearsal)
    with pytest.raises(JournalConflict):
        rehearsal.drive()
    rehearsal.target.on_perform = lambda _action, _attempt: None

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert rehearsal.done_to("traffic") == ["held", "flowing"]
    assert next(e.settled for e in rehearsal.all_of(StepFinished))
