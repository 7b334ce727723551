"""Stage 5 of 6, verify: compare what was seen with what was allowed. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from orchestrator.domain.observation import Measurement, StepInterval
from orchestrator.domain.playbook import Objectives
from orchestrator.domain.run import (
    CheckDone,
    Entry,
    GateOpened,
    StepFinished,
    StepIntended,
    UndoFinished,
    UndoIntended,
)
from orchestrator.domain.verdict import Verdict

DOWNTIME, BACK_WITHIN, LOST_WRITES = "downtime", "back-within", "lost-writes"
"""Names of the checks, one for each objective."""
UNWATCHED = "nobody was watching"
UNWITNESSED = "nobody was watching before the fault, so what it lost is not known"


def compare_objectives(
    objectives: Objectives, measurement: Measurement | None
) -> Iterator[CheckDone]:
    """Compare what was measured with what was allowed; what was not measured never passes."""
    if objectives.downtime is not None:
        yield _compare_downtime(objectives.downtime, measurement)
    if objectives.back_within is not None:
        yield _compare_way_back(objectives.back_within, measurement)
    yield _compare_lost_writes(objectives.lost_writes, measurement)
    if measurement is None:
        return
    yield CheckDone(
        group="watch",
        name="canary",
        verdict=measurement.verdict,
        detail="; ".join(measurement.doubts) or "users were watched all the way",
    )


def step_intervals(entries: Sequence[Entry]) -> tuple[StepInterval, ...]:
    """Return when each step, and each undo, was at work, by the controller's clock."""
    begun: dict[str, Entry] = {}
    intervals = []
    for entry in entries:
        match entry.event:
            case StepIntended(step=step):
                begun[step] = entry
            case UndoIntended(step=step):
                begun[f"undo {step}"] = entry
            case StepFinished(step=step):
                intervals.append(_interval(step, begun, entry))
            case UndoFinished(step=step):
                intervals.append(_interval(f"undo {step}", begun, entry))
            case _:
                pass
    return tuple(intervals)


def gate_opening(entries: Sequence[Entry]) -> datetime | None:
    """Return when a gate opened for the last time before the first step: the trigger."""
    opened = None
    for entry in entries:
        match entry.event:
            case GateOpened():
                opened = entry.at
            case StepIntended():
                return opened
            case _:
                pass
    return opened


def _interval(name: str, begun: Mapping[str, Entry], ended: Entry) -> StepInterval:
    return StepInterval(step=name, start=begun[name].at, end=ended.at)


def _compare_downtime(allowed: timedelta, measurement: Measurement | None) -> CheckDone:
    if measurement is None:
        return _objective(DOWNTIME, Verdict.INCONCLUSIVE, UNWATCHED)
    seen = measurement.downtime
    if seen.at_most <= allowed:
        verdict = Verdict.PASSED
    elif seen.at_least > allowed:
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.INCONCLUSIVE
    bounds = f"{seen.at_least.total_seconds():.3f}..{seen.at_most.total_seconds():.3f} s"
    return _objective(DOWNTIME, verdict, f"{bounds}, allowed {allowed.total_seconds():g} s")


def _compare_way_back(allowed: timedelta, measurement: Measurement | None) -> CheckDone:
    if measurement is None:
        return _objective(BACK_WITHIN, Verdict.INCONCLUSIVE, UNWATCHED)
    took = measurement.back_after
    if took is None:
        return _objective(BACK_WITHIN, Verdict.INCONCLUSIVE, "no write was seen after the gate")
    verdict = Verdict.PASSED if took <= allowed else Verdict.FAILED
    told = f"first write acknowledged {took.total_seconds():.3f} s after the gate opened"
    return _objective(BACK_WITHIN, verdict, f"{told}, allowed {allowed.total_seconds():g} s")


def _compare_lost_writes(allowed: int, measurement: Measurement | None) -> CheckDone:
    """Compare what is gone with what may be; nothing was lost only if somebody watched before."""
    if measurement is None:
        return _objective(LOST_WRITES, Verdict.INCONCLUSIVE, UNWATCHED)
    writes = measurement.writes
    if not writes.counted:
        return _objective(LOST_WRITES, Verdict.INCONCLUSIVE, "the writes were not counted")
    lost, doubled = len(writes.lost), len(writes.duplicate)
    verdict = Verdict.PASSED if lost <= allowed and not doubled else Verdict.FAILED
    detail = f"{lost} of {writes.acknowledged} lost, {doubled} duplicate, allowed {allowed}"
    if verdict is Verdict.PASSED and not measurement.seen_up_before:
        return _objective(LOST_WRITES, Verdict.INCONCLUSIVE, f"{detail}; {UNWITNESSED}")
    return _objective(LOST_WRITES, verdict, detail)


def _objective(name: str, verdict: Verdict, detail: str) -> CheckDone:
    return CheckDone(group="objective", name=name, verdict=verdict, detail=detail)
