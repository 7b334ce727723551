"""What a run does next, whatever its journal holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.decision import (
    Decision,
    End,
    Hold,
    Measure,
    NoteGate,
    Rest,
    StartStep,
    UndoStep,
    Verify,
)
from orchestrator.domain.playbook import ChecklistName, GateStop, StepName
from orchestrator.domain.run import (
    AbortRequested,
    DriverStarted,
    Event,
    ExitCode,
    GateOpened,
    GateRefused,
    GateWaits,
    InvariantsChecked,
    ItemLookedAt,
    Measured,
    Outcome,
    PriorStateChecked,
    RetryRequested,
    RunEnded,
    RunHeld,
    StepFinished,
    StepIntended,
    UndoFinished,
    UndoIntended,
    WatchFailed,
    WatchStarted,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.folding import fold
from orchestrator.engine.transitions import has_passed_no_return, next_move
from tests.support.builders import (
    ADA,
    NOON,
    RUN,
    a_journal,
    after,
    created,
    finished,
    intended,
    some_evidence,
)
from tests.support.recoveries import APPROVED, STREAMS, a_switchover

A_HOLD = RunHeld(owner=ADA, reason="so", next_action="look", exit_code=ExitCode.UNKNOWN)
PLAN = a_switchover(STREAMS, APPROVED)
STEPS = st.sampled_from([step.name for step in PLAN.actions])
GATES = st.sampled_from(list(PLAN.gates))
MOMENTS = st.integers(-100, 2000).map(lambda s: NOON + timedelta(seconds=s))
EVIDENCE = st.builds(some_evidence, st.sampled_from(Verdict), st.just("so"), at=MOMENTS)
OUTCOMES = st.sampled_from(Outcome)


def _looked(gate: ChecklistName) -> st.SearchStrategy[Event]:
    items = [item.item for item in PLAN.checklists[gate].items if item.probe]
    return st.builds(
        ItemLookedAt, gate=st.just(gate), item=st.sampled_from(items), evidence=EVIDENCE
    )


def _of_step(step: StepName) -> st.SearchStrategy[Event]:
    named, attempt = st.just(step), st.integers(1, 3)
    return st.one_of(
        st.builds(StepIntended, step=named, attempt=attempt),
        st.builds(
            StepFinished,
            step=named,
            attempt=attempt,
            outcome=OUTCOMES,
            performed=st.just(""),
            evidence=EVIDENCE,
            settled=st.booleans(),
        ),
        st.builds(UndoIntended, step=named),
        st.builds(
            UndoFinished, step=named, outcome=OUTCOMES, performed=st.just(""), evidence=EVIDENCE
        ),
        st.builds(
            InvariantsChecked,
            step=named,
            when=st.just("after"),
            evidence=st.dictionaries(st.just("one-primary"), EVIDENCE),
        ),
    )


EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.just(DriverStarted(pid=1, boot="b00t")),
    st.just(WatchStarted(skew_s=0.0, skew_error_s=0.0)),
    st.just(WatchFailed(reason="no route")),
    GATES.flatmap(_looked),
    st.builds(GateWaits, gate=GATES, until=MOMENTS, obstacles=st.just(("so",))),
    st.builds(GateOpened, gate=GATES, verdict=st.sampled_from(Verdict)),
    st.builds(GateRefused, gate=GATES, obstacles=st.just(("so",)), timed_out=st.booleans()),
    STEPS.flatmap(_of_step),
    STEPS.flatmap(_of_step),
    st.builds(PriorStateChecked, evidence=EVIDENCE),
    st.just(Measured(measurement={}, samples_file="")),
    st.just(AbortRequested(by=ADA, reason="off")),
    st.just(A_HOLD),
)


def _way_of_a_sound_run() -> list[Event]:
    way: list[Event] = [
        WatchStarted(skew_s=0.0, skew_error_s=0.0),
        GateOpened(gate=PLAN.gate, verdict=Verdict.PASSED),
    ]
    for move in PLAN.steps:
        if isinstance(move, GateStop):
            way.append(GateOpened(gate=move.gate, verdict=Verdict.PASSED))
        else:
            way += [intended(move.name), finished(move.name)]
    return way


@st.composite
def states(draw: st.DrawFn) -> RunState:
    """Where a run could stand, the impossible included; its entries are a second apart."""
    way = _way_of_a_sound_run()
    sound = way[: draw(st.integers(0, len(way)))]
    events = [created(PLAN), *sound, *draw(st.lists(EVENTS, max_size=8))]
    intended = sorted({event.step for event in events if isinstance(event, StepIntended)})
    is_tried_again = draw(st.booleans())
    if intended and is_tried_again:
        step = draw(st.sampled_from(intended))
        events.append(RetryRequested(by=ADA, step=step, reason="mended"))
    journal = a_journal(*((float(second), event) for second, event in enumerate(events)))
    return fold(RunState(run=RUN), journal)


def _next(state: RunState, now_s: float = 30) -> Decision:
    return next_move(PLAN, state, now=after(now_s))


@given(states(), st.integers(-100, 5000))
def test_every_state_has_one_next_move(state: RunState, now_s: int) -> None:
    assert _next(state, now_s) == _next(state, now_s)


@given(states())
def test_nothing_is_begun_after_an_abort(state: RunState) -> None:
    stopped = replace(state, abort=AbortRequested(by=ADA, reason="off"))

    decision = _next(stopped)

    assert not isinstance(decision, StartStep)
    assert not (isinstance(decision, NoteGate) and isinstance(decision.event, GateOpened))


@given(states())
def test_nothing_is_taken_back_behind_the_point_of_no_return(state: RunState) -> None:
    if has_passed_no_return(PLAN, state):
        assert not isinstance(_next(state), UndoStep)


@given(states())
def test_run_that_turned_back_never_goes_forward(state: RunState) -> None:
    if state.turned_back and not has_passed_no_return(PLAN, state):
        assert not isinstance(_next(state), StartStep | Verify | NoteGate)


@given(states())
def test_held_or_ended_run_rests(state: RunState) -> None:
    if state.held or state.ended:
        assert _next(state) == Rest()


@given(states())
def test_step_begins_only_behind_open_gates_and_done_steps(state: RunState) -> None:
    decision = _next(state)
    if isinstance(decision, StartStep):
        for move in PLAN.steps:
            if move == decision.step:
                break
            name = getattr(move, "name", None)
            result = state.steps[name].result if name else None
            assert name is None or (result and result.outcome is Outcome.DONE)
        assert PLAN.gate in state.opened
        assert state.abort is None


@given(states(), st.integers(0, 5000))
def test_time_alone_never_begins_a_step(state: RunState, later_s: int) -> None:
    now, later = _next(state, 30), _next(state, 30 + later_s)

    if isinstance(later, StartStep):
        assert now == later


@given(states())
def test_every_hold_says_what_to_do_next(state: RunState) -> None:
    decision = _next(state)
    if isinstance(decision, Hold):
        assert decision.reason
        assert decision.next_action
        assert decision.exit_code is not ExitCode.VERIFIED


@given(states())
def test_run_ends_forward_only_when_all_is_done_and_measured(state: RunState) -> None:
    is_over = _next(state) == End() and has_passed_no_return(PLAN, state)
    if is_over and state.abandoned is None:
        assert state.measured
        results = [state.steps[step.name].result for step in PLAN.actions]
        assert all(result and result.outcome is Outcome.DONE for result in results)


@given(states())
def test_run_that_was_aborted_where_it_was_held_is_measured_and_ends(state: RunState) -> None:
    left = replace(state, held=None, ended=None, abandoned=A_HOLD)

    decision = _next(replace(left, abort=AbortRequested(by=ADA, reason="off")))

    assert decision == (Measure() if left.watch and left.measured is None else End())


def test_run_that_has_ended_rests() -> None:
    ended = RunEnded(verdict=Verdict.PASSED, exit_code=ExitCode.VERIFIED, summary="done")
    state = fold(RunState(run=RUN), a_journal((0, created(PLAN)), (1, ended)))

    assert _next(state) == Rest()
