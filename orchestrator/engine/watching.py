"""Stage 4 of 6, watch: turn what the canary saw into numbers. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, pairwise
from statistics import median_low

from orchestrator.domain.observation import (
    Blindness,
    Downtime,
    ErrorCount,
    Gaps,
    Interval,
    MarkerWrite,
    Measurement,
    Samples,
    StepInterval,
    Waits,
    Walk,
    WalkCount,
    Watcher,
    WriteOutcome,
    Writes,
)
from orchestrator.engine.outages import Darkness, Look, find_outages, merge, see_darkness, total

LONGEST_BLINK = timedelta(seconds=2)
"""A watcher that gives no sign of life for longer than this was blind."""

SHORTEST_OUTAGE = timedelta(milliseconds=50)
OUTAGE_IN_TYPICAL_GAPS = 3
"""A gap is an outage when it is longer than both; anything less is the noise of a machine."""

PROPER_ENDING = "stopped"


def measure(
    samples: Samples,
    steps: Sequence[StepInterval],
    *,
    found: Mapping[int, int] | None,
    skew: timedelta = timedelta(0),
    watchers: Collection[Watcher] = tuple(Watcher),
) -> Measurement:
    """Say what a run cost its users, and whether we can know.

    Args:
        samples: What the canary wrote down, by the clock of its host, in any order.
        steps: When each step was at work, by the controller's clock.
        found: How often each marker's number is in the database now; nothing if not counted.
        skew: What to add to the canary's clock to get the controller's.
        watchers: Who was to watch. The silence of one that was not is no doubt.
    """
    samples = samples.shifted(skew)
    markers = sorted(samples.markers, key=lambda marker: (marker.done, marker.seq))
    walks = sorted(samples.walks, key=lambda walk: (walk.done, walk.number))
    looks = {
        Watcher.MARKERS: [_look_of_marker(marker) for marker in markers],
        Watcher.WALKS: [_look_of_walk(walk) for walk in walks],
    }
    dark = {
        watcher: see_darkness(seen, longest_silence=_longest_silence(seen))
        for watcher, seen in looks.items()
    }
    blind = tuple(chain.from_iterable(_find_blindness(samples, steps, w) for w in watchers))
    writes = _count_writes(markers, found)
    return Measurement(
        downtime=_bound_downtime(dark.values(), blind),
        gaps=_measure_gaps(looks[Watcher.MARKERS], steps),
        outages=find_outages(
            {
                Watcher.MARKERS: dark[Watcher.MARKERS].perhaps,
                # Walks are rare: what lies around a bad one would smear the outage over
                # steps that had no part in it, while the markers know it to 10 ms.
                Watcher.WALKS: dark[Watcher.WALKS].surely,
            },
            steps,
        ),
        stalls=_measure_waits(
            m.done - m.sent for m in markers if m.outcome is WriteOutcome.ACKNOWLEDGED
        ),
        walk_times=_measure_waits(walk.done - walk.sent for walk in walks if walk.passed),
        writes=writes,
        walks=WalkCount(
            passed=sum(walk.passed for walk in walks),
            failed=sum(not walk.passed for walk in walks),
        ),
        errors=_count_errors(markers, walks),
        blind=blind,
        doubts=(
            *chain.from_iterable(_doubt_looks(w, looks[w]) for w in watchers),
            *(_doubt_blindness(period) for period in blind),
            *_doubt_writes(writes),
            *_doubt_record(samples),
        ),
    )


def _look_of_marker(marker: MarkerWrite) -> Look:
    return Look(
        tried=Interval(marker.sent, marker.done),
        is_good=marker.outcome is WriteOutcome.ACKNOWLEDGED,
    )


def _look_of_walk(walk: Walk) -> Look:
    return Look(tried=Interval(walk.since, walk.done), is_good=walk.passed)


def _good_gaps(looks: Iterable[Look]) -> list[Interval]:
    good = (look.tried.end for look in looks if look.is_good)
    return [Interval(start, end) for start, end in pairwise(good)]


def _longest_silence(looks: Iterable[Look]) -> timedelta:
    gaps = _good_gaps(looks)
    if not gaps:
        return SHORTEST_OUTAGE
    typical = median_low(gap.length for gap in gaps)
    return max(OUTAGE_IN_TYPICAL_GAPS * typical, SHORTEST_OUTAGE)


def _bound_downtime(dark: Iterable[Darkness], blind: Iterable[Blindness]) -> Downtime:
    accounts = tuple(dark)
    surely = chain.from_iterable(account.surely for account in accounts)
    perhaps = chain.from_iterable(account.perhaps for account in accounts)
    unseen = (Interval(period.start, period.end) for period in blind)
    return Downtime(at_least=total(merge(surely)), at_most=total(merge(chain(perhaps, unseen))))


def _measure_gaps(looks: Sequence[Look], steps: Sequence[StepInterval]) -> Gaps | None:
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


def _measure_waits(waits: Iterable[timedelta]) -> Waits | None:
    ranked = sorted(waits)
    if not ranked:
        return None
    return Waits(p50=_rank(ranked, 50), p99=_rank(ranked, 99), longest=ranked[-1])


def _rank(ranked: Sequence[timedelta], percent: int) -> timedelta:
    """Return the nearest-rank percentile: a value that really occurred."""
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


def _count_writes(markers: Iterable[MarkerWrite], found: Mapping[int, int] | None) -> Writes:
    by_outcome: dict[WriteOutcome, set[int]] = {outcome: set() for outcome in WriteOutcome}
    for marker in markers:
        by_outcome[marker.outcome].add(marker.seq)
    acknowledged, unknown = by_outcome[WriteOutcome.ACKNOWLEDGED], by_outcome[WriteOutcome.UNKNOWN]
    there = {seq for seq, count in (found or {}).items() if count > 0}
    return Writes(
        acknowledged=len(acknowledged),
        failed=len(by_outcome[WriteOutcome.FAILED]),
        unknown=len(unknown),
        counted=found is not None,
        lost=tuple(sorted(acknowledged - there)) if found is not None else (),
        duplicate=tuple(sorted(seq for seq in there if (found or {})[seq] > 1)),
        unknown_found=tuple(sorted(unknown & there)),
        contradicted=tuple(sorted(there - acknowledged - unknown)),
    )


def _count_errors(markers: Iterable[MarkerWrite], walks: Iterable[Walk]) -> tuple[ErrorCount, ...]:
    """Group errors by their text; both kinds come in order of time."""
    seen: dict[tuple[Watcher, str], list[datetime]] = {}
    for marker in markers:
        if marker.outcome is not WriteOutcome.ACKNOWLEDGED:
            seen.setdefault((Watcher.MARKERS, marker.error), []).append(marker.done)
    for walk in walks:
        if not walk.passed:
            text = f"{walk.action}: {walk.error}"
            seen.setdefault((Watcher.WALKS, text), []).append(walk.done)
    return tuple(
        ErrorCount(watcher=watcher, error=error, count=len(times), first=times[0])
        for (watcher, error), times in seen.items()
    )


def _find_blindness(
    samples: Samples, steps: Sequence[StepInterval], watcher: Watcher
) -> Iterator[Blindness]:
    beats = sorted(beat.at for beat in samples.heartbeats if beat.watcher is watcher)
    for start, end in pairwise(_with_edges(beats, steps)):
        if end - start > LONGEST_BLINK:
            yield Blindness(watcher=watcher, start=start, end=end)


def _with_edges(beats: list[datetime], steps: Sequence[StepInterval]) -> list[datetime]:
    """Add the ends of the run where the heartbeats do not reach them."""
    edges = [edge for step in steps for edge in (step.start, step.end)]
    if not edges:
        return beats
    first, last = min(edges), max(edges)
    before = [first] if not beats or first < beats[0] else []
    after = [last] if not beats or last > beats[-1] else []
    return [*before, *beats, *after]


def _doubt_looks(watcher: Watcher, looks: Sequence[Look]) -> Iterator[str]:
    if not looks:
        yield f"{watcher}: nothing was seen"
        return
    if not looks[0].is_good:
        yield f"{watcher}: the service was not seen up before, so its outage has no beginning"
    if not looks[-1].is_good:
        yield f"{watcher}: the service was not seen up again, so its outage has no end"


def _doubt_blindness(period: Blindness) -> str:
    length = (period.end - period.start).total_seconds()
    return f"{period.watcher}: blind for {length:.1f} s from {period.start:%H:%M:%S} UTC"


def _doubt_writes(writes: Writes) -> Iterator[str]:
    if not writes.counted:
        yield "marker writes were not counted in the database"
    if writes.contradicted:
        yield f"{len(writes.contradicted)} marker writes are there that nobody sent in full"


def _doubt_record(samples: Samples) -> Iterator[str]:
    for ending in samples.endings:
        if ending != PROPER_ENDING:
            yield f"the canary ended early: {ending}"
    if samples.unreadable:
        yield f"{samples.unreadable} lines of the canary make no sense"
