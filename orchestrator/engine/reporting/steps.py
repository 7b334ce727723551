"""Steps, planned beside actual. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from itertools import zip_longest

from orchestrator.domain.evidence import Evidence
from orchestrator.domain.observation import Measurement
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import Effect, Step, StepName
from orchestrator.domain.record import AttemptRecord, Look, Progress, StepRecord, UndoRecord
from orchestrator.domain.run import (
    Entry,
    Outcome,
    StepFinished,
    StepIntended,
    UndoFinished,
    UndoIntended,
)
from orchestrator.engine.describing import hosts_of, line_of
from orchestrator.engine.reporting.selecting import Told, select

_PROGRESS = {
    Outcome.DONE: Progress.DONE,
    Outcome.FAILED: Progress.FAILED,
    Outcome.UNKNOWN: Progress.UNKNOWN,
}


def recount_steps(
    plan: Plan, entries: Sequence[Entry], measurement: Measurement | None
) -> tuple[StepRecord, ...]:
    """Return every step of *plan*, those that were not reached too."""
    charges = None if measurement is None else measurement.charges
    return tuple(
        replace(_recount(step, entries, charges), part=_part_of(plan, step))
        for step in plan.actions
    )


def look_of(evidence: Evidence) -> Look:
    """Return *evidence* as a report shows it."""
    return Look(
        verdict=evidence.verdict,
        summary=evidence.summary,
        at=evidence.at,
        digest=evidence.digest,
    )


def _recount(
    step: Step, entries: Sequence[Entry], charges: Mapping[str, timedelta] | None
) -> StepRecord:
    attempts = tuple(_attempts(step.name, entries))
    last = attempts[-1] if attempts else None
    started = attempts[0].started if attempts else None
    ended = last.ended if last else None
    return StepRecord(
        name=step.name,
        why=step.why,
        kind=step.action.kind,
        action=line_of(step.action),
        hosts=hosts_of(step.action),
        effect=_in_words(step.effect),
        irreversible=step.point_of_no_return,
        time_limit_s=step.time_limit.total_seconds(),
        if_you_stop_here=step.if_you_stop_here,
        outcome=_progress(last),
        started=started,
        ended=ended,
        duration_s=(ended - started).total_seconds() if started and ended else None,
        evidence=last.evidence if last else None,
        attempts=attempts,
        undone=_undo(step.name, entries),
        downtime_s=_charge(step.name, charges) if started else None,
    )


def _part_of(plan: Plan, step: Step) -> str:
    child = plan.child_of(step.name)
    return plan.children[child].title if child else ""


def _charge(name: StepName, charges: Mapping[str, timedelta] | None) -> float | None:
    """Return what is charged to a step, its undo included."""
    if charges is None:
        return None
    shares = (charges.get(charged, timedelta(0)) for charged in (name, f"undo {name}"))
    return sum(shares, timedelta(0)).total_seconds()


def _progress(last: AttemptRecord | None) -> Progress:
    if last is None:
        return Progress.PENDING
    return Progress.RUNNING if last.outcome is None else _PROGRESS[last.outcome]


def _attempts(name: StepName, entries: Sequence[Entry]) -> Iterator[AttemptRecord]:
    finished = {
        told.event.attempt: told
        for told in select(entries, StepFinished)
        if told.event.step == name
    }
    for told in select(entries, StepIntended):
        if told.event.step == name:
            yield _attempt(told, finished.get(told.event.attempt))


def _attempt(begun: Told[StepIntended], over: Told[StepFinished] | None) -> AttemptRecord:
    if over is None:
        return AttemptRecord(number=begun.event.attempt, started=begun.at)
    return AttemptRecord(
        number=begun.event.attempt,
        started=begun.at,
        ended=over.at,
        outcome=over.event.outcome,
        performed=over.event.performed,
        evidence=look_of(over.event.evidence),
        output=over.event.output,
    )


def _undo(name: StepName, entries: Sequence[Entry]) -> UndoRecord | None:
    """Return the newest try to take the step back."""
    begun = [t for t in select(entries, UndoIntended) if t.event.step == name]
    over = [t for t in select(entries, UndoFinished) if t.event.step == name]
    pairs = list(zip_longest(begun, over))
    if not begun:
        return None
    start, end = pairs[len(begun) - 1]
    if end is None:
        return UndoRecord(started=start.at)
    return UndoRecord(
        started=start.at,
        ended=end.at,
        outcome=end.event.outcome,
        evidence=look_of(end.event.evidence),
    )


def _in_words(effect: Effect) -> str:
    told = {word.name: getattr(effect, word.name) for word in fields(effect)}
    return ", ".join(f"{word} {member}" for word, member in told.items() if member)
