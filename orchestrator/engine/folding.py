"""The fold: from the entries of a journal to where the run stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import TypeVar, assert_never

from orchestrator.domain.checklist import ItemAnswers, ItemName
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.run import (
    AbortRequested,
    CheckDone,
    DriverStarted,
    Entry,
    GateOpened,
    GateRefused,
    GateWaits,
    InvariantsChecked,
    ItemLookedAt,
    ItemSigned,
    ManualStepAnswered,
    Measured,
    Outcome,
    PriorStateChecked,
    RetryRequested,
    RunCreated,
    RunEnded,
    RunHeld,
    StepFinished,
    StepIntended,
    UndoFinished,
    UndoIntended,
    WatchFailed,
    WatchStarted,
)
from orchestrator.domain.state import RunState, StepStanding
from orchestrator.domain.verdict import Verdict

K = TypeVar("K")
V = TypeVar("V")


def fold(state: RunState, entries: Iterable[Entry]) -> RunState:
    """Return *state* moved on by *entries*, oldest first."""
    return reduce(_apply, entries, state)


def _apply(state: RunState, entry: Entry) -> RunState:
    return replace(_take(state, entry), seq=entry.seq)


def _take(state: RunState, entry: Entry) -> RunState:  # noqa: C901 - one arm an event
    event = entry.event
    match event:
        case RunCreated():
            return replace(state, created=event, created_at=entry.at)
        case DriverStarted():
            return _take_over(state)
        case WatchStarted() | WatchFailed():
            return replace(state, watch=event)
        case ItemLookedAt():
            return _take_look(state, event, entry.at)
        case ItemSigned():
            return _take_signature(state, event)
        case GateWaits() | GateOpened() | GateRefused():
            return _take_gate(state, event)
        case InvariantsChecked():
            return replace(state, invariants=event)
        case StepIntended() | StepFinished() | RetryRequested():
            return _take_step(state, event)
        case UndoIntended():
            undos = _with(state.undos, event.step, None)
            return replace(state, undos=undos, turned_back=True)
        case UndoFinished():
            return replace(state, undos=_with(state.undos, event.step, event))
        case ManualStepAnswered():
            # Only the one who waits for it needs it; the step's probes decide.
            return state
        case PriorStateChecked():
            return replace(state, prior_state=event, turned_back=True)
        case CheckDone():
            return replace(state, checks=(*state.checks, event))
        case Measured():
            return replace(state, measured=event)
        case AbortRequested():
            abandoned = None if event.takes_back else state.held or state.abandoned
            return replace(state, abort=event, abandoned=abandoned, held=None)
        case RunHeld():
            return replace(state, held=event)
        case RunEnded():
            return replace(state, ended=event)
        case _:
            assert_never(event)


def _take_over(state: RunState) -> RunState:
    """Let a new driver look again at whatever is not proved; it goes on from what is.

    A gate is asked again unless a step was begun behind it: its evidence was for that moment.
    """
    state = _resume(state) if state.held else state
    opened = {gate: state.opened[gate] for gate in state.opened if gate not in state.unspent}
    prior = state.prior_state
    is_proved = prior is not None and prior.evidence.verdict is Verdict.PASSED
    return replace(
        state,
        asked={},
        answers={
            gate: of_gate if gate in opened else _forget_looks(of_gate)
            for gate, of_gate in state.answers.items()
        },
        opened=opened,
        unspent=frozenset(),
        steps={name: _unsettle(standing) for name, standing in state.steps.items()},
        undos={name: undo if _is_done(undo) else None for name, undo in state.undos.items()},
        prior_state=prior if is_proved else None,
    )


def _resume(state: RunState) -> RunState:
    """Ask a gate that refused anew, and look at the invariants again: hands may have mended it.

    Not on the way back: there the refusal stays the reason.
    """
    state = replace(state, held=None, invariants=None)
    if state.refused is None or state.turned_back:
        return state
    gate = state.refused.gate
    answers = {name: of_gate for name, of_gate in state.answers.items() if name != gate}
    waits = {name: wait for name, wait in state.waits.items() if name != gate}
    return replace(state, refused=None, answers=answers, waits=waits)


def _forget_looks(of_gate: Mapping[ItemName, ItemAnswers]) -> Mapping[ItemName, ItemAnswers]:
    return {item: replace(known, evidence=None) for item, known in of_gate.items()}


def _unsettle(standing: StepStanding) -> StepStanding:
    is_unknown = standing.result is not None and standing.result.outcome is Outcome.UNKNOWN
    return replace(standing, result=None) if is_unknown and not standing.may_retry else standing


def _is_done(undo: UndoFinished | None) -> bool:
    return undo is not None and undo.outcome is Outcome.DONE


def _take_look(state: RunState, event: ItemLookedAt, at: datetime) -> RunState:
    known = replace(_answers(state, event), evidence=event.evidence)
    asked = {event.gate: at, **state.asked}
    return _with_answer(replace(_keep(state, event.evidence), asked=asked), event, known)


def _take_signature(state: RunState, event: ItemSigned) -> RunState:
    known = _answers(state, event)
    known = replace(known, sign_offs=(*known.sign_offs, event.sign_off))
    return _with_answer(state, event, known)


def _answers(state: RunState, event: ItemLookedAt | ItemSigned) -> ItemAnswers:
    return state.answers.get(event.gate, {}).get(event.item, ItemAnswers())


def _with_answer(
    state: RunState, event: ItemLookedAt | ItemSigned, known: ItemAnswers
) -> RunState:
    of_gate = _with(state.answers.get(event.gate, {}), event.item, known)
    return replace(state, answers=_with(state.answers, event.gate, of_gate))


def _take_gate(state: RunState, event: GateWaits | GateOpened | GateRefused) -> RunState:
    match event:
        case GateWaits():
            return replace(state, waits=_with(state.waits, event.gate, event))
        case GateOpened():
            return _take_opening(state, event)
        case GateRefused():
            return replace(state, refused=event)
        case _:
            assert_never(event)


def _take_opening(state: RunState, event: GateOpened) -> RunState:
    return replace(
        state,
        opened=_with(state.opened, event.gate, event),
        unspent=state.unspent | {event.gate},
        waits={gate: waits for gate, waits in state.waits.items() if gate != event.gate},
    )


def _take_step(state: RunState, event: StepIntended | StepFinished | RetryRequested) -> RunState:
    match event:
        case StepIntended():
            begun = StepStanding(attempts=event.attempt)
            return _with_step(replace(state, unspent=frozenset()), event, begun)
        case StepFinished():
            standing = StepStanding(attempts=event.attempt, result=event)
            return _with_step(_keep(state, event.evidence), event, standing)
        case RetryRequested():
            standing = replace(state.steps[event.step], may_retry=True)
            return _with_step(state, event, standing)
        case _:
            assert_never(event)


def _with_step(
    state: RunState, event: StepIntended | StepFinished | RetryRequested, standing: StepStanding
) -> RunState:
    return replace(state, steps=_with(state.steps, event.step, standing))


def _keep(state: RunState, evidence: Evidence) -> RunState:
    return replace(state, kept={**state.kept, **evidence.kept})


def _with(mapping: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    return {**mapping, key: value}
