"""Stage 6 of 6, report: tell a run from its journal. Pure: can be told again at any time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TypeGuard

from orchestrator.domain.checklist import PersonName
from orchestrator.domain.observation import (
    MarkerWrite,
    Measurement,
    Outage,
    Sample,
    Walk,
    WriteOutcome,
)
from orchestrator.domain.plan import Plan
from orchestrator.domain.record import CheckRecord, VerificationRecord
from orchestrator.domain.report import Report, Times
from orchestrator.domain.run import (
    CheckDone,
    Entry,
    GateOpened,
    RunCreated,
    RunEnded,
    RunId,
    StepIntended,
    WatchStarted,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.accepting import accepted_risks
from orchestrator.engine.folding import fold
from orchestrator.engine.reporting import conclusion, figures, redundancy
from orchestrator.engine.reporting.findings import (
    check_invariants,
    find_deviations,
    find_unverified,
)
from orchestrator.engine.reporting.gates import recount_gates
from orchestrator.engine.reporting.selecting import first_of, newest_of, select
from orchestrator.engine.reporting.steps import look_of, recount_steps
from orchestrator.engine.reporting.strips import draw_strips

__all__ = ["report_of"]


def report_of(
    plan: Plan,
    entries: Sequence[Entry],
    *,
    measurement: Measurement | None = None,
    samples: Iterable[Sample] = (),
) -> Report:
    """Tell the run that *entries* record, whether it has ended or not.

    Args:
        plan: The plan that the run executes.
        entries: Its journal from the beginning, or any first part of it.
        measurement: The canary's account; without it downtime and writes are not known.
        samples: What the canary wrote down, by the clock of its host, in any order.
    """
    state = fold(RunState(run=entries[0].run if entries else RunId("")), entries)
    created = state.created
    steps = recount_steps(plan, entries, measurement)
    gates = recount_gates(plan, entries)
    invariants = check_invariants(plan, entries)
    environment = plan.environment
    seen = _by_our_clock(state, samples)
    return Report(
        run=state.run,
        playbook=plan.playbook,
        title=plan.title,
        plan_digest=created.plan_digest if created else plan.digest,
        environment=environment.environment,
        environment_title=environment.title,
        environment_kind=environment.kind,
        mode=created.mode if created else None,
        requester=created.requester if created else PersonName(""),
        reason=created.reason if created else "",
        parameters=plan.parameters,
        standing=conclusion.standing_of(state),
        verdict=conclusion.verdict_of(state),
        exit_code=conclusion.exit_code_of(state),
        headline=conclusion.headline_of(plan, state),
        accepted_risks=accepted_risks(plan, state),
        summary=conclusion.summary_of(plan, state),
        next_action=conclusion.next_action_of(state),
        owner=conclusion.owner_of(state),
        objectives=figures.objective_figures(plan, state.checks, measurement),
        downtime=figures.downtime_figures(measurement, state.created_at),
        writes=figures.write_figures(measurement),
        stalls=figures.stall_figures(measurement),
        steps=steps,
        gates=gates,
        verification=_verification(entries),
        invariants=invariants,
        prior_state=look_of(state.prior_state.evidence) if state.prior_state else None,
        deviations=find_deviations(plan, entries, gates, measurement),
        not_verified=find_unverified(plan, entries, steps, invariants, measurement),
        outages=figures.outage_records(measurement),
        errors=figures.error_records(measurement),
        unprotected=redundancy.time_without(plan, steps, measurement),
        times=_times(entries, measurement, seen),
        closure=plan.closure,
        entries=len(entries),
        chain_head=entries[-1].link if entries else "",
        strips=draw_strips(entries, seen, measurement),
    )


def _by_our_clock(state: RunState, samples: Iterable[Sample]) -> tuple[Sample, ...]:
    skew_s = state.watch.skew_s if isinstance(state.watch, WatchStarted) else 0.0
    return tuple(sample.shifted(timedelta(seconds=skew_s)) for sample in samples)


def _verification(entries: Sequence[Entry]) -> VerificationRecord:
    checks = tuple(
        CheckRecord(
            group=told.event.group,
            name=told.event.name,
            verdict=told.event.verdict,
            detail=told.event.detail,
            duration_s=told.event.duration_s,
            at=told.at,
        )
        for told in select(entries, CheckDone)
    )
    return VerificationRecord(
        verdict=Verdict.worst_of(check.verdict for check in checks), checks=checks
    )


def _times(
    entries: Sequence[Entry], measurement: Measurement | None, samples: Sequence[Sample]
) -> Times:
    created = first_of(entries, RunCreated)
    opened = first_of(entries, GateOpened)
    intended = first_of(entries, StepIntended)
    checked = newest_of(entries, CheckDone)
    ended = first_of(entries, RunEnded)
    has_passed = ended is not None and ended.event.verdict in {Verdict.PASSED, Verdict.DEGRADED}
    outages = measurement.outages if measurement else ()
    longest = max(outages, key=lambda outage: outage.end - outage.start, default=None)
    return Times(
        created=created.at if created else None,
        gate_opened=opened.at if opened else None,
        first_action=intended.at if intended else None,
        traffic_lost=longest.start if longest else None,
        traffic_back=longest.end if longest and _is_up_again(outages, samples) else None,
        verified=checked.at if checked and has_passed else None,
        ended=ended.at if ended else None,
        as_of=entries[-1].at if entries else None,
    )


def _is_up_again(outages: Sequence[Outage], samples: Sequence[Sample]) -> bool:
    """Tell whether somebody saw the last outage end."""
    end = max(outage.end for outage in outages)
    return any(_is_good(s) and s.done >= end for s in samples)


def _is_good(sample: Sample) -> TypeGuard[MarkerWrite | Walk]:
    match sample:
        case MarkerWrite():
            return sample.outcome is WriteOutcome.ACKNOWLEDGED
        case Walk():
            return sample.passed
        case _:
            return False
