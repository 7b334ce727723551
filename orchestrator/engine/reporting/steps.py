"""Steps, planned beside actual. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import zip_longest

from orchestrator.domain.canonical import plain
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.observation import Measurement
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import Action, Effect, Step, StepName
from orchestrator.domain.record import AttemptRecord, Look, Progress, StepRecord, UndoRecord
from orchestrator.domain.run import (
    Entry,
    Outcome,
    StepFinished,
    StepIntended,
    UndoFinished,
    UndoIntended,
)
from orchestrator.engine.reporting.selecting import Told, select

_PROGRESS = {
    Outcome.DONE: Progress.DONE,
    Outcome.FAILED: Progress.FAILED,
    Outcome.UNKNOWN: Progress.UNKNOWN,
}
_TELLING_INPUTS = ("run", "play", "query", "url", "text")
"""The input that says most about an action, whatever its kind."""


def recount_steps(
    plan: Plan, entries: Sequence[Entry], measurement: Measurement | None
) -> tuple[StepRecord, ...]:
    """Return every step of *plan*, those that were not reached too."""
    charges = None if measurement is None else measurement.charges
    return tuple(_recount(step, entries, charges) for step in plan.actions)


def look_of(evidence: Evidence) -> Look:
    """Return *evidence* as a report shows it."""
    return Look(
        verdict=evidence.verdict,
        summary=evidence.summary,
        at=evidence.at,
        digest=evidence.digest,
    )


def line_of(action: Action) -> str:
    """Return what *action* does in one line, without where it does it."""
    told = next((action.inputs[key] for key in _TELLING_INPUTS if key in action.inputs), None)
    match told:
        case None:
            return json.dumps(plain(action.inputs), sort_keys=True, ensure_ascii=False)
        case list() | tuple():
            return shlex.join(map(str, told))
        case _:
            method = action.inputs.get("method", "")
            return " ".join(f"{method} {told}".split())


def hosts_of(action: Action) -> tuple[str, ...]:
    """Return the hosts that *action* names; of a member ``service/host`` the host."""
    named = action.inputs.get("on", ())
    targets = named if isinstance(named, list | tuple) else (named,)
    return tuple(str(target).rsplit("/", 1)[-1] for target in targets)


def _recount(
    step: Step, entries: Sequence[Entry], charges: Mapping[str, timedelta] | None
) -> StepRecord:
    attempts = tuple(_attempts(step.name, entries))
    last = attempts[-1] if attempts else None
    started = attempts[0].started if attempts else None
    ended = last.ended if last else None
    charged = None if charges is None else charges.get(step.name, timedelta(0))
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
        downtime_s=None if charged is None or not started else charged.total_seconds(),
    )


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
    parts = []
    if effect.fences:
        parts.append(f"fences {effect.fences}")
    if effect.promotes:
        parts.append(f"promotes {effect.promotes}")
    return ", ".join(parts)
