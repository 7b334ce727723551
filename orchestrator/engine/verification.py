"""Stage 5 of 6, verify: walk, test, count and compare, and write down each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

from orchestrator.domain.canonical import plain
from orchestrator.domain.errors import EvidenceIncomplete, TargetUnavailable
from orchestrator.domain.observation import Found, Measurement, Sample, StepInterval
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import Objectives
from orchestrator.domain.run import (
    CheckDone,
    Entry,
    Event,
    Measured,
    StepFinished,
    StepIntended,
    UndoFinished,
    UndoIntended,
    WatchStarted,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.concluding import judge_invariant
from orchestrator.engine.ports import World
from orchestrator.engine.watching import measure

END_STATE_LIMIT = timedelta(seconds=30)
"""How long the end state may take to be seen, e.g. a standby to be streaming again."""

Record = Callable[[Event], None]


def verify_run(plan: Plan, state: RunState, world: World, record: Record) -> None:
    """Do every check of the end state, then account for what users saw."""
    for check in _check_end_state(plan, world):
        record(check)
    for name, times in plan.verify.journeys.items():
        for check in world.verifier.walk(plan.environment.journeys[name], times=times.in_a_row):
            record(check)
    for suite in plan.verify.suites:
        for check in world.verifier.run_suite(suite):
            record(check)
    measurement = measure_run(plan, state, world, record)
    for check in compare_objectives(plan.objectives, measurement):
        record(check)


def measure_run(
    plan: Plan, state: RunState, world: World, record: Record
) -> Measurement | None:
    """End the canary and write down what it saw; ``None`` if nobody was watching."""
    if not isinstance(state.watch, WatchStarted):
        record(Measured(measurement={}, samples_file=""))
        return None
    try:
        world.canary.stop()
        samples = world.canary.samples()
    except TargetUnavailable as error:
        record(Measured(measurement={"doubts": [str(error)]}, samples_file=""))
        return None
    measurement = measure(
        samples,
        steps=step_intervals(world.journal.read(state.run)),
        found=_count_markers(world),
        skew=timedelta(seconds=state.watch.skew_s),
    )
    record(
        Measured(measurement=_as_mapping(measurement), samples_file=world.canary.samples_file())
    )
    return measurement


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


def _check_end_state(plan: Plan, world: World) -> Iterator[CheckDone]:
    names = list(plan.verify.probes)
    looks = world.looker.look_until(list(plan.verify.probes.values()), within=END_STATE_LIMIT)
    for name, look in zip(names, looks, strict=True):
        yield CheckDone(group="probe", name=name, verdict=look.verdict, detail=look.summary)
    for invariant in plan.invariants:
        members = world.looker.look(list(invariant.probes.values()), within=END_STATE_LIMIT)
        evidence = judge_invariant(
            invariant,
            dict(zip(invariant.probes, members, strict=True)),
            now=world.clock.now(),
        )
        yield CheckDone(
            group="invariant",
            name=invariant.invariant,
            verdict=evidence.verdict,
            detail=evidence.summary,
        )


def _count_markers(world: World) -> Found | None:
    try:
        return world.verifier.count_markers()
    except EvidenceIncomplete:
        return None


def _compare_downtime(allowed: timedelta, measurement: Measurement) -> CheckDone:
    seen = measurement.downtime
    if seen.at_most <= allowed:
        verdict = Verdict.PASSED
    elif seen.at_least > allowed:
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.INCONCLUSIVE
    bounds = f"{seen.at_least.total_seconds():.3f}–{seen.at_most.total_seconds():.3f} s"
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


def _as_mapping(measurement: Measurement) -> Mapping[str, object]:
    value = plain(measurement)
    if not isinstance(value, dict):
        raise TypeError("a measurement has parts")
    return value
