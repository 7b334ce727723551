"""Scenario: the controller itself is killed while a run is under way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from orchestrator.domain.playbook import Action
from orchestrator.domain.run import (
    ExitCode,
    GateOpened,
    GateRefused,
    Measured,
    RunEnded,
    RunId,
    StepFinished,
    StepIntended,
    UndoFinished,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Attempt
from tests.support.builders import PREFLIGHT
from tests.support.fake_target import Fate
from tests.support.fakes import Died
from tests.support.recoveries import (
    AFTER,
    APPROVED,
    BEFORE,
    FENCE,
    STREAMS,
    Rehearsal,
    a_fact_step,
    a_switchover,
)


def _writes_of_a_whole_run() -> int:
    rehearsal = Rehearsal()
    rehearsal.drive()
    assert rehearsal.exit_code is ExitCode.VERIFIED
    return rehearsal.journal.writes


WRITES = range(1, _writes_of_a_whole_run() + 1)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", WRITES)
def test_run_killed_around_any_write_repeats_nothing_without_evidence(
    write: int, when: str
) -> None:
    rehearsal = Rehearsal()
    rehearsal.journal.die(when, write=write)

    with pytest.raises(Died):
        rehearsal.drive()
    rehearsal.drive()

    assert_nothing_is_repeated_blindly(rehearsal)
    _assert_the_end_is_true(rehearsal)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", WRITES)
def test_run_killed_at_every_write_in_turn_still_comes_to_a_true_end(
    write: int, when: str
) -> None:
    rehearsal = Rehearsal()
    for later in range(write, write + 60, 3):
        rehearsal.journal.die(when, write=later)
    deaths = 0
    while rehearsal.state.ended is None and rehearsal.state.held is None:
        try:
            rehearsal.drive()
        except Died:
            deaths += 1

    assert deaths > 0
    assert_nothing_is_repeated_blindly(rehearsal)
    _assert_the_end_is_true(rehearsal)


@pytest.mark.parametrize("fate", [Fate.KILLS_BEFORE, Fate.KILLS_AFTER])
@pytest.mark.parametrize("fact", ["traffic", "old", "new", "pooler"])
def test_run_killed_in_the_middle_of_an_action_settles_it_by_looking(
    fact: str, fate: Fate
) -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will(fact, fate)

    with pytest.raises(Died):
        rehearsal.drive()
    rehearsal.drive()

    settled = [e for e in rehearsal.all_of(StepFinished) if e.settled]
    wanted = "done" if fate is Fate.KILLS_AFTER else "failed"
    assert [e.outcome for e in settled] == [wanted]
    assert_nothing_is_repeated_blindly(rehearsal)
    _assert_the_end_is_true(rehearsal)


@pytest.mark.parametrize(
    ("fact", "fate", "exit_code"),
    [
        pytest.param("old", Fate.KILLS_AFTER, ExitCode.VERIFIED, id="done: it goes on"),
        pytest.param("old", Fate.KILLS_BEFORE, ExitCode.ROLLED_BACK, id="undone: back"),
        pytest.param("traffic", Fate.KILLS_BEFORE, ExitCode.VERIFIED, id="repeatable: again"),
        pytest.param("new", Fate.KILLS_BEFORE, ExitCode.HANDS_NEEDED, id="no return: hands"),
        pytest.param("pooler", Fate.KILLS_BEFORE, ExitCode.VERIFIED, id="behind it: again"),
    ],
)
def test_interrupted_step_leads_where_the_evidence_says(
    fact: str, fate: Fate, exit_code: ExitCode
) -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will(fact, fate)
    with pytest.raises(Died):
        rehearsal.drive()

    rehearsal.drive()

    assert rehearsal.exit_code is exit_code


def test_interrupted_step_that_cannot_be_seen_is_held_not_repeated() -> None:
    rehearsal = Rehearsal(a_switchover(invariants=()))
    rehearsal.target.will("new", Fate.KILLS_BEFORE)
    with pytest.raises(Died):
        rehearsal.drive()
    rehearsal.target.blind = {"new"}

    rehearsal.drive()

    assert rehearsal.held.exit_code is ExitCode.UNKNOWN
    assert rehearsal.done_to("new") == ["primary"]


def test_repeatable_step_that_fails_again_is_not_tried_for_ever() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("pooler", Fate.KILLS_BEFORE, Fate.FAILS)
    with pytest.raises(Died):
        rehearsal.drive()

    rehearsal.drive()

    assert rehearsal.held.exit_code is ExitCode.HANDS_NEEDED
    assert rehearsal.done_to("pooler") == ["new", "new"]


@pytest.mark.parametrize(
    ("fate", "undos"),
    [
        pytest.param(Fate.KILLS_AFTER, ["flowing"], id="it had its effect"),
        pytest.param(Fate.KILLS_BEFORE, ["flowing", "flowing"], id="it had none"),
    ],
)
def test_interrupted_undo_is_done_again_only_if_it_had_no_effect(
    fate: Fate, undos: list[str]
) -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("old", Fate.FAILS)
    rehearsal.target.will("traffic", Fate.WORKS, fate)
    with pytest.raises(Died):
        rehearsal.drive()

    rehearsal.drive()

    assert rehearsal.done_to("traffic") == ["held", *undos]
    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert rehearsal.target.facts == BEFORE


def test_interrupted_undo_that_cannot_be_seen_is_held() -> None:
    rehearsal = Rehearsal(a_switchover(invariants=()))
    rehearsal.target.will("old", Fate.FAILS)
    rehearsal.target.will("traffic", Fate.WORKS, Fate.KILLS_BEFORE)
    with pytest.raises(Died):
        rehearsal.drive()
    rehearsal.target.blind = {"traffic"}

    rehearsal.drive()

    assert rehearsal.held.exit_code is ExitCode.UNKNOWN
    assert rehearsal.done_to("traffic") == ["held", "flowing"]


def test_roll_back_goes_on_backward_though_the_invariant_holds_again() -> None:
    split = a_fact_step("split", "new", "primary", back_to="standby")
    rehearsal = Rehearsal(a_switchover(steps=(split, FENCE)))
    rehearsal.target.on_perform = _die_at_undo(rehearsal)
    with pytest.raises(Died):
        rehearsal.drive()
    rehearsal.target.on_perform = lambda _action, _attempt: None
    rehearsal.target.facts["new"] = "standby"

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert rehearsal.done_to("old") == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_run_that_ends_untouched_stays_untouched_when_killed_on_its_way_out(when: str) -> None:
    rehearsal = Rehearsal()
    rehearsal.target.facts["new"] = "primary"
    counted = Rehearsal()
    counted.target.facts["new"] = "primary"
    counted.drive()
    rehearsal.journal.die(when, write=counted.journal.writes)
    with pytest.raises(Died):
        rehearsal.drive()
    rehearsal.target.facts["new"] = "standby"

    rehearsal.drive()

    assert rehearsal.ended.exit_code is ExitCode.REFUSED
    assert rehearsal.target.arrivals == []


def test_gate_that_was_opened_long_ago_is_asked_again() -> None:
    rehearsal = Rehearsal()
    rehearsal.journal.die("after", write=_write_of(GateOpened))
    with pytest.raises(Died):
        rehearsal.drive()
    rehearsal.clock.advance(timedelta(hours=1))
    rehearsal.target.facts["replication"] = "broken"

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.REFUSED
    assert rehearsal.target.arrivals == []


def test_gate_that_people_had_opened_wants_looks_again_but_not_signatures() -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))
    rehearsal.clock.while_waiting = lambda: rehearsal.sign("change-approved")
    rehearsal.journal.before_append = lambda: _die_once_opened(rehearsal)
    with pytest.raises(Died):
        rehearsal.drive()
    rehearsal.journal.before_append = lambda: None
    rehearsal.clock.advance(timedelta(minutes=20))

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert rehearsal.all_of(GateRefused) == []


def test_objectives_are_compared_though_the_controller_died_over_them() -> None:
    rehearsal = Rehearsal()
    rehearsal.canary.losses = frozenset({1})
    rehearsal.journal.die("after", write=_write_of(Measured))
    with pytest.raises(Died):
        rehearsal.drive()

    rehearsal.drive()

    assert rehearsal.ended.verdict is Verdict.FAILED
    assert "objective lost-writes" in rehearsal.ended.summary


def test_lock_of_a_run_whose_end_is_written_is_free_though_nobody_released_it() -> None:
    rehearsal = Rehearsal()
    rehearsal.journal.die("after", write=_write_of(RunEnded))
    with pytest.raises(Died):
        rehearsal.drive()

    rehearsal.journal.take(rehearsal.plan.resources, run=RunId("r-2"), holder="lin")

    assert rehearsal.journal.holder_of("service/orders-db") == "r-2"


def assert_nothing_is_repeated_blindly(rehearsal: Rehearsal) -> None:
    """Between two performances of one step lies evidence that the first had no effect."""
    keys = [(a.attempt.step, a.attempt.number) for a in rehearsal.target.arrivals]
    forward = [key for key in keys if key[1] > 0]
    assert len(forward) == len(set(forward))
    for step, number in forward:
        if number > 1:
            earlier = [
                e
                for e in rehearsal.all_of(StepFinished)
                if e.step == step and e.attempt == number - 1
            ]
            assert [e.outcome for e in earlier] == ["failed"]


def _assert_the_end_is_true(rehearsal: Rehearsal) -> None:
    """What the run says of its end is how the world is."""
    match rehearsal.exit_code:
        case ExitCode.VERIFIED:
            assert rehearsal.target.facts == AFTER
        case ExitCode.ROLLED_BACK:
            assert rehearsal.target.facts == BEFORE
        case ExitCode.HANDS_NEEDED:
            assert rehearsal.held.next_action
        case _:
            pytest.fail(f"{rehearsal.exit_code}: {rehearsal.state.ended or rehearsal.state.held}")


def _write_of(kind: type) -> int:
    """The number of the write that holds the first event of *kind* in an undisturbed run."""
    rehearsal = Rehearsal()
    numbers: list[int] = []

    def note() -> None:
        if not rehearsal.all_of(kind):
            numbers.append(rehearsal.journal.writes + 1)

    rehearsal.journal.before_append = note
    rehearsal.drive()
    return numbers[-1]


def _die_once_opened(rehearsal: Rehearsal) -> None:
    if PREFLIGHT in rehearsal.state.opened and not rehearsal.all_of(StepIntended):
        raise Died


def _die_at_undo(rehearsal: Rehearsal) -> Callable[[Action, Attempt], None]:
    def die(_action: Action, attempt: Attempt) -> None:
        if attempt.number == 0 and not rehearsal.all_of(UndoFinished):
            raise Died

    return die
