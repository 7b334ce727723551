"""Stage 5 of 6, verify: walk, test, look and count, and write down each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from orchestrator.domain.canonical import plain
from orchestrator.domain.errors import EvidenceIncomplete, TargetUnavailable
from orchestrator.domain.observation import Found, Measurement
from orchestrator.domain.plan import Plan
from orchestrator.domain.run import CheckDone, Event, Measured, WatchStarted
from orchestrator.domain.state import RunState
from orchestrator.engine.concluding import judge_invariant
from orchestrator.engine.ports import World
from orchestrator.engine.verification import compare_objectives, step_intervals
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
    measurement = measure_run(state, world, record)
    for check in compare_objectives(plan.objectives, measurement):
        record(check)


def measure_run(state: RunState, world: World, record: Record) -> Measurement | None:
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


def _as_mapping(measurement: Measurement) -> Mapping[str, object]:
    value = plain(measurement)
    if not isinstance(value, dict):
        raise TypeError("a measurement has parts")
    return value
