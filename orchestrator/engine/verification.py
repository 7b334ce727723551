"""Stage 5 of 6, verify: compare what was seen with what was allowed. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from orchestrator.domain.observation import Measurement, StepInterval
from orchestrator.domain.playbook import Objectives
from orchestrator.domain.run import (
    CheckDone,
    Entry,
    StepFinished,
    StepIntended,
    UndoFinished,
    UndoIntended,
)
from orchestrator.domain.verdict import Verdict


def compare_objectives(
    objectives: Objectives, measurement: Measurement | None
) -> Iterator[CheckDone]:
    """Compare what was measured with what was allowed; what was not measured never passes."""
    if measurement is None:
        missing = "nobody was watching"
        yield _objective("downtime", Verdict.INCONCLUSIVE, missing)
        yield _objective("lost-writes", Verdict.INCONCLUSIVE, missing)
        return
    yield _compare_downtime(objectives.downtime, measurement)
    yield _compare_lost_writes(objectives.lost_writes, measurement)
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


def _interval(name: str, begun: Mapping[str, Entry], ended: Entry) -> StepInterval:
    return StepInterval(step=name, start=begun[name].at, end=ended.at)


def _compare_downtime(allowed: timedelta, measurement: Measurement) -> CheckDone:
    seen = measurement.downtime
    if seen.at_most <= allowed:
        verdict = Verdict.PASSED
    elif seen.at_least > allowed:
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.INCONCLUSIVE
    bounds = f"{seen.at_least.total_seconds():.3f}..{seen.at_most.total_seconds():.3f} s"
    return _objective("downtime", verdict, f"{bounds}, allowed {allowed.total_seconds():g} s")


def _compare_lost_writes(allowed: int, measurement: Measurement) -> CheckDone:
    writes = measurement.writes
    if not writes.counted:
        return _objective("lost-writes", Verdict.INCONCLUSIVE, "the writes were not counted")
    lost, doubled = len(writes.lost), len(writes.duplicate)
    verdict = Verdict.PASSED if lost <= allowed and not doubled else Verdict.FAILED
    detail = f"{lost} of {writes.acknowledged} lost, {doubled} duplicate, allowed {allowed}"
    return _objective("lost-writes", verdict, detail)


def _objective(name: str, verdict: Verdict, detail: str) -> CheckDone:
    return CheckDone(group="objective", name=name, verdict=verdict, detail=detail)
