"""Stage 5 of 6, verify: walk, test, look and count, and write down each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import timedelta

from orchestrator.domain.canonical import plain
from orchestrator.domain.errors import EvidenceIncomplete, TargetUnavailable
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.observation import Found, Measurement
from orchestrator.domain.plan import Plan
from orchestrator.domain.run import CheckDone, Measured, WatchStarted
from orchestrator.domain.state import RunState
from orchestrator.engine.accepting import excused_members
from orchestrator.engine.guarding import look_at_invariants
from orchestrator.engine.looking import look
from orchestrator.engine.ports import World
from orchestrator.engine.verification import compare_objectives, gate_opening, step_intervals
from orchestrator.engine.watching import LONG_AGO, measure

END_STATE_LIMIT = timedelta(seconds=30)
"""How long the end state may take to be seen, e.g. a standby to be streaming again."""

Record = Callable[..., None]


def verify_run(plan: Plan, state: RunState, world: World, record: Record) -> None:
    """Do every check of the end state, then account for what users saw.

    The account and its comparison with the objectives are recorded together: a run that was
    measured has been judged.
    """
    for check in _check_end_state(plan, state, world):
        record(check)
    for name, times in plan.verify.journeys.items():
        for check in world.verifier.walk(plan.environment.journeys[name], times=times.in_a_row):
            record(check)
    for suite in plan.verify.suites:
        for check in world.verifier.run_suite(suite):
            record(check)
    measurement, measured = measure_run(state, world)
    record(measured, *compare_objectives(plan.objectives, measurement))


def measure_run(state: RunState, world: World) -> tuple[Measurement | None, Measured]:
    """End the canary and account for what it saw; no measurement if nobody was watching."""
    if not isinstance(state.watch, WatchStarted):
        return None, Measured(measurement={}, samples_file="")
    try:
        world.canary.stop()
        samples = world.canary.samples()
    except TargetUnavailable as error:
        return None, Measured(measurement={"doubts": [str(error)]}, samples_file="")
    entries = world.journal.read(state.run)
    measurement = measure(
        samples,
        steps=step_intervals(entries),
        found=_count_markers(world),
        skew=timedelta(seconds=state.watch.skew_s),
        run=state.run,
        asked=state.created_at or LONG_AGO,
        opened=gate_opening(entries),
    )
    as_data = {part.name: plain(getattr(measurement, part.name)) for part in fields(measurement)}
    return measurement, Measured(measurement=as_data, samples_file=world.canary.samples_file())


def _check_end_state(plan: Plan, state: RunState, world: World) -> Iterator[CheckDone]:
    probes = plan.verify.probes
    looks = look(world, list(probes.values()), state.kept, within=END_STATE_LIMIT, patiently=True)
    for name, evidence in zip(probes, looks, strict=True):
        yield _check("probe", name, evidence)
    _, invariants = look_at_invariants(
        world,
        plan.invariants,
        state.kept,
        before={},
        within=END_STATE_LIMIT,
        excused=excused_members(plan, state),
    )
    for name, evidence in invariants.items():
        yield _check("invariant", name, evidence)


def _check(group: str, name: str, evidence: Evidence) -> CheckDone:
    return CheckDone(group=group, name=name, verdict=evidence.verdict, detail=evidence.summary)


def _count_markers(world: World) -> Found | None:
    try:
        return world.verifier.count_markers()
    except EvidenceIncomplete:
        return None
