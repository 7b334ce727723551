"""The outage strip: what users got from moment to moment, in few enough buckets. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from orchestrator.domain.observation import (
    Heartbeat,
    Interval,
    MarkerWrite,
    Measurement,
    Sample,
    Walk,
    WriteOutcome,
)
from orchestrator.domain.run import (
    Entry,
    StepFinished,
    StepIntended,
    UndoFinished,
    UndoIntended,
)
from orchestrator.domain.strip import Bucket, Scope, Service, Strip

BUCKETS_AT_MOST = 200
"""Of one strip; there are three."""

NOTICED_WAIT = timedelta(milliseconds=50)
"""A write that waits longer than this was held; `engine.watching` calls it an outage."""

LONGEST_BLINK = timedelta(seconds=2)
"""Without any sign of the canary for longer than this, nobody was watching."""

_AROUND_STEPS = timedelta(seconds=2)
_AROUND_OUTAGE = timedelta(milliseconds=300)
_WIDTHS_MS = tuple(step * 10**power for power in range(8) for step in (1, 2, 5))
_STEP_EVENTS = (StepIntended, StepFinished, UndoIntended, UndoFinished)
_WORST_LAST = tuple(Service)


def draw_strips(
    entries: Sequence[Entry], samples: Iterable[Sample], measurement: Measurement | None
) -> tuple[Strip, ...]:
    """Return the strips of the whole run, of its steps and of its longest gap.

    Args:
        entries: The journal, by the controller's clock.
        samples: By the same clock, in any order.
        measurement: Tells where the longest gap is.
    """
    known = tuple(samples)
    return tuple(_draw(scope, window, known) for scope, window in _windows(entries, measurement))


def _windows(
    entries: Sequence[Entry], measurement: Measurement | None
) -> Iterator[tuple[Scope, Interval]]:
    if not entries or entries[0].at == entries[-1].at:
        return
    run = Interval(entries[0].at, entries[-1].at)
    yield Scope.RUN, run
    touched = [entry.at for entry in entries if isinstance(entry.event, _STEP_EVENTS)]
    if not touched:
        return
    steps = _around(Interval(min(touched), max(touched)), _AROUND_STEPS)
    yield Scope.STEPS, Interval(max(steps.start, run.start), min(steps.end, run.end))
    if measurement and measurement.gaps and measurement.gaps.longest >= NOTICED_WAIT:
        gaps = measurement.gaps
        gap = Interval(gaps.longest_from, gaps.longest_from + gaps.longest)
        yield Scope.OUTAGE, _around(gap, max(_AROUND_OUTAGE, gap.length / 2))


def _around(window: Interval, margin: timedelta) -> Interval:
    return Interval(window.start - margin, window.end + margin)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Buckets of equal width over a window."""

    start: datetime
    width: timedelta
    count: int

    @property
    def end(self) -> datetime:
        """When the last bucket ends."""
        return self.start + self.count * self.width

    def span(self, since: datetime, until: datetime) -> range:
        """Return the numbers of the buckets that the time touches."""
        first = max(0, (since - self.start) // self.width)
        last = min(self.count - 1, (until - self.start) // self.width)
        return range(first, last + 1)


def _draw(scope: Scope, window: Interval, samples: Sequence[Sample]) -> Strip:
    width = _nice_width(window.length)
    count = -(-window.length // width)
    grid = _Grid(window.start, width, count)
    return Strip(
        scope=scope,
        since=window.start,
        until=window.end,
        bucket_s=width.total_seconds(),
        buckets=_fill(grid, samples) if samples else (),
    )


def _nice_width(length: timedelta) -> timedelta:
    widths = (timedelta(milliseconds=ms) for ms in _WIDTHS_MS)
    fitting = (width for width in widths if length <= width * BUCKETS_AT_MOST)
    # A run may be held for months.
    return next(fitting, length / BUCKETS_AT_MOST + timedelta.resolution)


def _fill(grid: _Grid, samples: Sequence[Sample]) -> tuple[Bucket, ...]:
    services = _services(grid, samples)
    acknowledged = [0] * grid.count
    worst: list[timedelta | None] = [None] * grid.count
    for marker in samples:
        if isinstance(marker, MarkerWrite):
            wait = marker.done - marker.sent
            for number in grid.span(marker.done, marker.done):
                acknowledged[number] += marker.outcome is WriteOutcome.ACKNOWLEDGED
                worst[number] = max(wait, worst[number] or wait)
    return tuple(
        Bucket(
            start=grid.start + number * grid.width,
            service=services[number],
            acknowledged=acknowledged[number],
            worst_ms=_ms(worst[number]),
        )
        for number in range(grid.count)
    )


def _services(grid: _Grid, samples: Sequence[Sample]) -> Sequence[Service]:
    """Return the worst that touched each bucket."""
    services = [Service.OK] * grid.count
    for number in _unseen(grid, sorted(_signs(samples))):
        services[number] = Service.BLIND
    for service, seen in _troubles(samples):
        for number in grid.span(seen.start, seen.end):
            services[number] = max(services[number], service, key=_WORST_LAST.index)
    return services


def _troubles(samples: Iterable[Sample]) -> Iterator[tuple[Service, Interval]]:
    for sample in samples:
        match sample:
            case MarkerWrite() if sample.outcome is not WriteOutcome.ACKNOWLEDGED:
                yield Service.BAD, Interval(sample.sent, sample.done)
            case MarkerWrite() if sample.done - sample.sent > NOTICED_WAIT:
                yield Service.HELD, Interval(sample.sent, sample.done)
            case Walk() if not sample.passed:
                yield Service.BAD, Interval(sample.since, sample.done)
            case _:
                continue


def _signs(samples: Iterable[Sample]) -> Iterator[datetime]:
    """Yield the times at which the canary was certainly awake."""
    for sample in samples:
        match sample:
            case MarkerWrite() | Walk():
                yield sample.sent
                yield sample.done
            case Heartbeat():
                yield sample.at
            case _:
                continue


def _unseen(grid: _Grid, signs: Sequence[datetime]) -> Iterator[int]:
    """Yield the buckets before the first sign, behind the last, and in long silences."""
    if not signs:
        yield from range(grid.count)
        return
    yield from grid.span(grid.start, signs[0] - grid.width)
    yield from grid.span(signs[-1] + grid.width, grid.end)
    for earlier, later in pairwise(signs):
        if later - earlier > LONGEST_BLINK:
            yield from grid.span(earlier, later)


def _ms(wait: timedelta | None) -> float | None:
    return None if wait is None else round(wait / timedelta(milliseconds=1), 3)
