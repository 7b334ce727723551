"""How long a service had a member less than it should. Pure.

What redundancy it had meanwhile is for its own probes to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchestrator.domain.observation import Measurement
from orchestrator.domain.plan import Plan
from orchestrator.domain.record import Progress, StepRecord
from orchestrator.domain.report import Unprotected
from orchestrator.domain.run import Outcome

OUTAGE = "the outage"
FENCE = "the fence"
PROMOTION = "the promotion, as nobody saw the outage begin"


def time_without(
    plan: Plan, steps: Sequence[StepRecord], measurement: Measurement | None
) -> Unprotected | None:
    """Return the time without redundancy; nothing if no step took any away.

    It ends with the last step that gives a standby back. A plan without such a step takes one
    away itself, by its fence, and gives it back by its end.
    """
    returning = {step.name for step in plan.actions if step.effect.reprotects}
    if returning:
        return _until_reprotected(
            plan, [s for s in steps if s.name in returning], steps, measurement
        )
    fence = _first(plan, steps, "fences")
    if fence is None or fence.started is None:
        return None
    return _count(FENCE, fence.started, _protected_again(fence, steps))


def _until_reprotected(
    plan: Plan,
    returning: Sequence[StepRecord],
    steps: Sequence[StepRecord],
    measurement: Measurement | None,
) -> Unprotected | None:
    is_back = all(step.outcome is Progress.DONE for step in returning)
    until = returning[-1].ended if is_back else None
    if measurement and measurement.outages and measurement.seen_up_before:
        return _count(OUTAGE, measurement.outages[0].start, until)
    promotion = _first(plan, steps, "promotes")
    if promotion is None or promotion.started is None:
        return None
    return _count(PROMOTION, promotion.started, until)


def _first(plan: Plan, steps: Sequence[StepRecord], effect: str) -> StepRecord | None:
    """Return the first step with that effect that was begun."""
    wanted = {step.name for step in plan.actions if getattr(step.effect, effect)}
    return next((step for step in steps if step.name in wanted and step.started), None)


def _protected_again(fence: StepRecord, steps: Sequence[StepRecord]) -> datetime | None:
    if fence.undone:
        return fence.undone.ended if fence.undone.outcome is Outcome.DONE else None
    if any(step.outcome is not Progress.DONE for step in steps):
        return None
    return steps[-1].ended


def _count(counted_from: str, since: datetime, until: datetime | None) -> Unprotected:
    at_most_s = (until - since).total_seconds() if until else None
    return Unprotected(since=since, until=until, at_most_s=at_most_s, counted_from=counted_from)
