"""The fold: from the entries of a journal to where the run stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import TypeVar, assert_never

from orchestrator.domain.checklist import ItemAnswers, ItemName
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import ChecklistName
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
            # A new driver trusts no earlier look at the invariants.
            return replace(state, held=None, invariants=None)
        case WatchStarted() | WatchFailed():
            return replace(state, watch=event)
        case ItemLookedAt() | ItemSigned():
            return _take_answer(state, event)
        case GateWaits() | GateOpened() | GateRefused():
            return _take_gate(state, event)
        case InvariantsChecked():
            return replace(state, invariants=event)
        case StepIntended() | StepFinished() | RetryRequested():
            return _take_step(state, event)
        case UndoIntended():
            return replace(state, undos=_with(state.undos, event.step, None))
        case UndoFinished():
            return replace(state, undos=_with(state.undos, event.step, event))
        case ManualStepAnswered():
            # Only the one who waits for it needs it; the step's probes decide.
            return state
        case PriorStateChecked():
            return replace(state, prior_state=event)
        case CheckDone():
            return replace(state, checks=(*state.checks, event))
        case Measured():
            return replace(state, measured=event)
        case AbortRequested():
            return replace(state, abort=event)
        case RunHeld():
            # Whoever resumes a held run asks the gate again.
            return replace(state, held=event, refused=None)
        case RunEnded():
            return replace(state, ended=event)
        case _:
            assert_never(event)


def _take_answer(state: RunState, event: ItemLookedAt | ItemSigned) -> RunState:
    of_gate = state.answers.get(event.gate, {})
    known = of_gate.get(event.item, ItemAnswers())
    if isinstance(event, ItemSigned):
        known = replace(known, sign_offs=(*known.sign_offs, event.sign_off))
        return _with_answer(state, event.gate, event.item, known)
    known = replace(known, evidence=event.evidence)
    return _with_answer(_keep(state, event.evidence), event.gate, event.item, known)


def _with_answer(
    state: RunState, gate: ChecklistName, item: ItemName, known: ItemAnswers
) -> RunState:
    of_gate = _with(state.answers.get(gate, {}), item, known)
    return replace(state, answers=_with(state.answers, gate, of_gate))


def _take_gate(state: RunState, event: GateWaits | GateOpened | GateRefused) -> RunState:
    match event:
        case GateWaits():
            return replace(state, waits=_with(state.waits, event.gate, event))
        case GateOpened():
            return replace(state, opened=state.opened | {event.gate})
        case GateRefused():
            return replace(state, refused=event)


def _take_step(state: RunState, event: StepIntended | StepFinished | RetryRequested) -> RunState:
    match event:
        case StepIntended():
            return _with_step(state, event, StepStanding(attempts=event.attempt))
        case StepFinished():
            standing = StepStanding(attempts=event.attempt, result=event)
            return _with_step(_keep(state, event.evidence), event, standing)
        case RetryRequested():
            standing = replace(state.steps[event.step], may_retry=True)
            return _with_step(state, event, standing)


def _with_step(
    state: RunState, event: StepIntended | StepFinished | RetryRequested, standing: StepStanding
) -> RunState:
    return replace(state, steps=_with(state.steps, event.step, standing))


def _keep(state: RunState, evidence: Evidence) -> RunState:
    return replace(state, kept={**state.kept, **evidence.kept})


def _with(mapping: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    return {**mapping, key: value}
