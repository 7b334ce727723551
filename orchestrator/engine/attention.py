"""Stage 4 of 6, watch: how closely each canary looked, and so what its silence means. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_low

from orchestrator.domain.observation import Gaps, Interval, StepInterval
from orchestrator.engine.outages import Look, Patience

SHORTEST_OUTAGE = timedelta(milliseconds=100)
"""What is answered within a tenth of a second feels immediate; slower answers count as stalls.
Source: R. B. Miller, Response time in man-computer conversational transactions, 1968."""
OUTAGE_IN_TYPICAL_GAPS = 3
"""A gap is an outage when it is longer than both; anything less is the noise of a machine."""

LOUDEST_NOISE = timedelta(milliseconds=250)
"""What was silent for so long before anybody touched it counts as usual here; nothing longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attention:
    """From when to when one canary looked, and the longest silence that is usual for it."""

    since: datetime
    until: datetime
    longest_silence: timedelta


def patience_of(canaries: Mapping[str, Sequence[Look]], steps: Sequence[StepInterval]) -> Patience:
    """Return how long nothing need be heard, which at any time the closest watcher tells.

    Args:
        canaries: What each one saw, in order of the answers.
        steps: Nothing was touched before the first of them.
    """
    attentions = [
        _Attention(
            since=looks[0].tried.end,
            until=looks[-1].tried.end,
            longest_silence=_longest_silence(looks, steps),
        )
        for looks in canaries.values()
        if looks
    ]

    def patience(at: datetime) -> timedelta:
        watching = (a.longest_silence for a in attentions if a.since <= at <= a.until)
        return min(watching, default=SHORTEST_OUTAGE)

    return patience


def measure_gaps(looks: Iterable[Look], steps: Sequence[StepInterval]) -> Gaps | None:
    """Return the times between good answers; nothing if there are fewer than two."""
    gaps = _good_gaps(looks)
    if not gaps:
        return None
    longest = max(gaps, key=lambda gap: gap.length)
    first_step = min((step.start for step in steps), default=None)
    quiet = [gap.length for gap in gaps if first_step is None or gap.end <= first_step]
    return Gaps(
        typical=median_low(gap.length for gap in gaps),
        longest=longest.length,
        longest_from=longest.start,
        longest_before_steps=max(quiet, default=None),
    )


def _good_gaps(looks: Iterable[Look]) -> list[Interval]:
    good = (look.tried.end for look in looks if look.is_good)
    return [Interval(start, end) for start, end in pairwise(good)]


def _longest_silence(looks: Sequence[Look], steps: Sequence[StepInterval]) -> timedelta:
    gaps = _good_gaps(looks)
    if not gaps:
        return SHORTEST_OUTAGE
    typical = median_low(gap.length for gap in gaps)
    noise = min(_noise_before(looks, steps), LOUDEST_NOISE)
    return max(OUTAGE_IN_TYPICAL_GAPS * typical, SHORTEST_OUTAGE, noise)


def _noise_before(looks: Sequence[Look], steps: Sequence[StepInterval]) -> timedelta:
    """Return the longest silence between two good looks while nobody had touched anything."""
    first_step = min((step.start for step in steps), default=None)
    if first_step is None:
        return timedelta(0)
    quiet = (
        later.tried.end - earlier.tried.end
        for earlier, later in pairwise(looks)
        if earlier.is_good and later.is_good and later.tried.end <= first_step
    )
    return max(quiet, default=timedelta(0))
