"""Stage 4 of 6, watch: when users were without service, and which step that belongs to. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from orchestrator.domain.observation import Interval, Outage, StepInterval, Watcher

Spans = tuple[Interval, ...]
Patience = Callable[[datetime], timedelta]
"""How long a silence that begins then may be before it is perhaps an outage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the service: what a user had in the end, and since when they tried."""

    tried: Interval
    is_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Darkness:
    """When the service was down by one watcher's account.

    A watcher samples, so between two looks we know only what both ends say: bad to bad counts
    as down, good to good as up, and anything else as perhaps down. Silence longer than usual is
    perhaps down too, whatever its ends say.
    """

    surely: Spans
    perhaps: Spans


def cut_short(looks: Iterable[Look]) -> list[Look]:
    """Return *looks* in order of their answers, each bad one ended by the next good answer.

    Several may be under way at once. When another one is answered meanwhile the service is up
    again; whatever a hung one waits for after that is its own connection's fate.
    """
    known = list(looks)
    good = sorted(look.tried.end for look in known if look.is_good)
    cut = (look if look.is_good else _cut(look, good) for look in known)
    return sorted(cut, key=lambda look: (look.tried.end, look.is_good, look.tried.start))


def _cut(look: Look, good: Sequence[datetime]) -> Look:
    first = bisect_right(good, look.tried.start)
    end = min([look.tried.end, *good[first : first + 1]])
    return replace(look, tried=Interval(look.tried.start, end))


def see_darkness(looks: Sequence[Look], patience: Patience) -> Darkness:
    """Tell from *looks*, in order of their answers, when the service was down."""
    surely = [look.tried for look in looks if not look.is_good]
    perhaps = list(surely)
    for earlier, later in pairwise(looks):
        between = Interval(earlier.tried.end, later.tried.end)
        is_silent = between.length > patience(between.start)
        if not (earlier.is_good or later.is_good or is_silent):
            surely.append(between)
        if not (earlier.is_good and later.is_good) or is_silent:
            perhaps.append(between)
    return Darkness(surely=merge(surely), perhaps=merge(perhaps))


def merge(intervals: Iterable[Interval]) -> Spans:
    """Return the union as intervals that do not touch, in order."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        else:
            merged.append(interval)
    return tuple(merged)


def total(spans: Spans) -> timedelta:
    """Add up the lengths of intervals that do not overlap."""
    return sum((span.length for span in spans), timedelta(0))


def find_outages(
    seen: Mapping[Watcher, Spans], steps: Sequence[StepInterval]
) -> tuple[Outage, ...]:
    """Merge what the watchers saw into outages, and charge each to the steps in it."""
    return tuple(
        _describe(span, seen, steps)
        for span in merge(interval for spans in seen.values() for interval in spans)
    )


def _describe(
    span: Interval, seen: Mapping[Watcher, Spans], steps: Sequence[StepInterval]
) -> Outage:
    charges = _charge(span, steps)
    before = _length_before(span, steps)
    return Outage(
        start=span.start,
        end=span.end,
        seen_by=tuple(
            watcher
            for watcher in Watcher
            if any(_overlap(span, part) for part in seen.get(watcher, ()))
        ),
        charges=charges,
        between_steps=span.length - sum(charges.values(), before),
        before_steps=before,
    )


def _length_before(span: Interval, steps: Sequence[StepInterval]) -> timedelta:
    first_step = min((step.start for step in steps), default=span.end)
    return max(min(span.end, first_step) - span.start, timedelta(0))


def _overlap(one: Interval, other: Interval) -> bool:
    return one.start <= other.end and other.start <= one.end


def _charge(span: Interval, steps: Sequence[StepInterval]) -> dict[str, timedelta]:
    charges: dict[str, timedelta] = {}
    for piece in _pieces(span, steps):
        at_work = [s for s in steps if s.start <= piece.start and piece.end <= s.end]
        if at_work:
            owner = max(at_work, key=lambda s: (s.start, s.start - s.end, s.step)).step
            charges[owner] = charges.get(owner, timedelta(0)) + piece.length
    return charges


def _pieces(span: Interval, steps: Sequence[StepInterval]) -> Iterator[Interval]:
    """Cut *span* wherever a step starts or ends, so that no piece is partly in a step."""
    edges = {edge for step in steps for edge in (step.start, step.end)}
    cuts = {span.start, span.end} | {edge for edge in edges if span.start < edge < span.end}
    return (Interval(start, end) for start, end in pairwise(sorted(cuts)))
