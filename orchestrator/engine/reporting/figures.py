"""What the canary measured, as numbers with units; unknown ones stay ``None``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from orchestrator.domain.observation import Measurement, Outage
from orchestrator.domain.plan import Plan
from orchestrator.domain.record import ErrorRecord, OutageRecord
from orchestrator.domain.report import (
    DowntimeFigures,
    ObjectiveFigures,
    StallFigures,
    WriteFigures,
)
from orchestrator.domain.run import CheckDone
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.verification import BACK_WITHIN, DOWNTIME, LOST_WRITES


def downtime_figures(measurement: Measurement | None, asked: datetime | None) -> DowntimeFigures:
    """Return both bounds, the longest gap between writes, and how they lie to the run.

    Args:
        measurement: The canary's account.
        asked: When somebody asked for the run.
    """
    if measurement is None:
        return DowntimeFigures()
    gaps = measurement.gaps
    return DowntimeFigures(
        at_least_s=measurement.downtime.at_least.total_seconds(),
        at_most_s=measurement.downtime.at_most.total_seconds(),
        longest_gap_ms=_ms(gaps.longest) if gaps else None,
        longest_gap_from=gaps.longest_from if gaps else None,
        typical_gap_ms=_ms(gaps.typical) if gaps else None,
        before_run_s=_began_before(measurement, asked),
        back_after_s=_seconds(measurement.back_after),
    )


def write_figures(measurement: Measurement | None) -> WriteFigures:
    """Return marker writes by fate; what only the database can tell is known if it was asked."""
    if measurement is None:
        return WriteFigures()
    writes = measurement.writes
    return WriteFigures(
        acknowledged=writes.acknowledged,
        lost=len(writes.lost) if writes.counted else None,
        unknown=writes.unknown,
        duplicate=len(writes.duplicate) if writes.counted else None,
        failed=writes.failed,
        contradicted=len(writes.contradicted) if writes.counted else None,
    )


def stall_figures(measurement: Measurement | None) -> StallFigures:
    """Return how long writes waited."""
    if measurement is None or measurement.stalls is None:
        return StallFigures()
    stalls = measurement.stalls
    return StallFigures(p50_ms=_ms(stalls.p50), p99_ms=_ms(stalls.p99), max_ms=_ms(stalls.longest))


def objective_figures(
    plan: Plan, checks: Sequence[CheckDone], measurement: Measurement | None
) -> ObjectiveFigures:
    """Return the objectives with the verdict that the verification gave to each.

    A run that did not get so far has met none, and missed those that are certainly exceeded.
    """
    objectives = plan.objectives
    at_least = measurement.downtime.at_least if measurement else timedelta(0)
    lost = len(measurement.writes.lost) if measurement else 0
    took = (measurement.back_after if measurement else None) or timedelta(0)
    return ObjectiveFigures(
        downtime_s=_seconds(objectives.downtime),
        back_within_s=_seconds(objectives.back_within),
        lost_writes=objectives.lost_writes,
        downtime_verdict=_verdict_on(
            DOWNTIME, checks, is_exceeded=at_least > (objectives.downtime or at_least)
        ),
        back_within_verdict=_verdict_on(
            BACK_WITHIN, checks, is_exceeded=took > (objectives.back_within or took)
        ),
        lost_writes_verdict=_verdict_on(
            LOST_WRITES, checks, is_exceeded=lost > objectives.lost_writes
        ),
    )


def outage_records(measurement: Measurement | None) -> tuple[OutageRecord, ...]:
    """Return every outage with what is charged to whom."""
    return tuple(map(_outage, measurement.outages)) if measurement else ()


def error_records(measurement: Measurement | None) -> tuple[ErrorRecord, ...]:
    """Return every kind of error that users saw."""
    errors = measurement.errors if measurement else ()
    return tuple(
        ErrorRecord(watcher=e.watcher, error=e.error, count=e.count, first=e.first) for e in errors
    )


def _outage(outage: Outage) -> OutageRecord:
    return OutageRecord(
        started=outage.start,
        ended=outage.end,
        duration_s=(outage.end - outage.start).total_seconds(),
        charged_s={step: share.total_seconds() for step, share in outage.charges.items()},
        between_steps_s=outage.between_steps.total_seconds(),
        before_steps_s=outage.before_steps.total_seconds(),
    )


def _verdict_on(objective: str, checks: Sequence[CheckDone], *, is_exceeded: bool) -> Verdict:
    given = [c.verdict for c in checks if c.group == "objective" and c.name == objective]
    return Verdict.FAILED if is_exceeded and not given else Verdict.worst_of(given)


def _began_before(measurement: Measurement, asked: datetime | None) -> float | None:
    begun = min((outage.start for outage in measurement.outages), default=None)
    if asked is None or begun is None or begun >= asked or not measurement.seen_up_before:
        return None
    return (asked - begun).total_seconds()


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def _ms(duration: timedelta) -> float:
    return round(duration / timedelta(milliseconds=1), 3)
