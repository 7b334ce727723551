"""Stage 4 of 6, watch: turn what the canary saw into numbers. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, pairwise
from statistics import median_low

from orchestrator.domain.observation import (
    STOPPED,
    Blindness,
    Downtime,
    Ended,
    ErrorCount,
    Found,
    Gaps,
    Heartbeat,
    Interval,
    MarkerWrite,
    Measurement,
    Outage,
    Sample,
    StepInterval,
    Unreadable,
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

SHORTEST_OUTAGE = timedelta(milliseconds=100)
"""What is answered within a tenth of a second feels immediate; slower answers count as stalls.
Source: R. B. Miller, Response time in man-computer conversational transactions, 1968."""
OUTAGE_IN_TYPICAL_GAPS = 3
"""A gap is an outage when it is longer than both; anything less is the noise of a machine."""

LOUDEST_NOISE = timedelta(milliseconds=250)
"""What was silent for so long before anybody touched it counts as usual here; nothing longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What the canary wrote down, sorted by kind, each kind in order of its answers."""

    markers: tuple[MarkerWrite, ...]
    walks: tuple[Walk, ...]
    heartbeats: tuple[Heartbeat, ...]
    endings: tuple[Ended, ...]
    unreadable: tuple[Unreadable, ...]

    @property
    def looks(self) -> dict[Watcher, list[Look]]:
        return {
            Watcher.MARKERS: [_look_of_marker(marker) for marker in self.markers],
            Watcher.WALKS: [_look_of_walk(walk) for walk in self.walks],
        }


def measure(
    samples: Iterable[Sample],
    steps: Sequence[StepInterval],
    *,
    found: Found | None,
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
    record = _sort(samples, skew)
    looks = record.looks
    dark = {
        watcher: see_darkness(seen, longest_silence=_longest_silence(seen, steps))
        for watcher, seen in looks.items()
    }
    blind = tuple(_find_blindness(record, steps, watchers))
    writes = _count_writes(record.markers, found)
    return Measurement(
        downtime=_bound_downtime(dark.values(), blind),
        gaps=_measure_gaps(looks[Watcher.MARKERS], steps),
        outages=_find_outages(dark, steps),
        stalls=_measure_waits(look for look in looks[Watcher.MARKERS] if look.is_good),
        walk_times=_measure_waits(look for look in looks[Watcher.WALKS] if look.is_good),
        writes=writes,
        walks=_count_walks(record.walks),
        errors=_count_errors(record),
        blind=blind,
        doubts=(
            *chain.from_iterable(_doubt_looks(watcher, looks[watcher]) for watcher in watchers),
            *map(_doubt_blindness, blind),
            *(_doubt_writes(writes) if Watcher.MARKERS in watchers else ()),
            *_doubt_record(record),
        ),
    )


def _sort(samples: Iterable[Sample], skew: timedelta) -> _Record:
    shifted = [sample.shifted(skew) for sample in samples]
    markers = [sample for sample in shifted if isinstance(sample, MarkerWrite)]
    walks = [sample for sample in shifted if isinstance(sample, Walk)]
    beats = [sample for sample in shifted if isinstance(sample, Heartbeat)]
    endings = [sample for sample in shifted if isinstance(sample, Ended)]
    return _Record(
        markers=tuple(sorted(markers, key=lambda m: (m.done, m.sent, m.seq, m.outcome, m.error))),
        walks=tuple(sorted(walks, key=lambda w: (w.done, w.sent, w.number))),
        heartbeats=tuple(sorted(beats, key=lambda beat: beat.at)),
        endings=tuple(sorted(endings, key=lambda ending: (ending.at, ending.why))),
        unreadable=tuple(sample for sample in shifted if isinstance(sample, Unreadable)),
    )


def _find_outages(
    dark: Mapping[Watcher, Darkness], steps: Sequence[StepInterval]
) -> tuple[Outage, ...]:
    """Find outages by what the markers miss and what the walks fail at.

    Walks are rare: what lies around a bad one would smear the outage over steps that had no
    part in it, while the markers know it to 10 ms.
    """
    seen = {
        Watcher.MARKERS: dark[Watcher.MARKERS].perhaps,
        Watcher.WALKS: dark[Watcher.WALKS].surely,
    }
    return find_outages(seen, steps)


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


def _longest_silence(looks: Sequence[Look], steps: Sequence[StepInterval]) -> timedelta:
    """Return how long a silence may be before it is perhaps an outage."""
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


def _measure_waits(looks: Iterable[Look]) -> Waits | None:
    ranked = sorted(look.tried.length for look in looks)
    if not ranked:
        return None
    return Waits(p50=_rank(ranked, 50), p99=_rank(ranked, 99), longest=ranked[-1])


def _rank(ranked: Sequence[timedelta], percent: int) -> timedelta:
    """Return the nearest-rank percentile: a value that really occurred."""
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


def _count_writes(markers: Iterable[MarkerWrite], found: Found | None) -> Writes:
    by_outcome: dict[WriteOutcome, set[int]] = {outcome: set() for outcome in WriteOutcome}
    for marker in markers:
        by_outcome[marker.outcome].add(marker.seq)
    acknowledged, unknown = by_outcome[WriteOutcome.ACKNOWLEDGED], by_outcome[WriteOutcome.UNKNOWN]
    counts = found or {}
    there = {seq for seq, count in counts.items() if count > 0}
    return Writes(
        acknowledged=len(acknowledged),
        failed=len(by_outcome[WriteOutcome.FAILED]),
        unknown=len(unknown),
        counted=found is not None,
        lost=tuple(sorted(acknowledged - there)) if found is not None else (),
        duplicate=tuple(sorted(seq for seq in there if counts[seq] > 1)),
        unknown_found=tuple(sorted(unknown & there)),
        contradicted=tuple(sorted(there - acknowledged - unknown)),
    )


def _count_walks(walks: Sequence[Walk]) -> WalkCount:
    passed = sum(walk.passed for walk in walks)
    return WalkCount(passed=passed, failed=len(walks) - passed)


def _count_errors(record: _Record) -> tuple[ErrorCount, ...]:
    """Group errors by their text, each kind in order of time."""
    seen: dict[tuple[Watcher, str], list[datetime]] = {}
    for marker in record.markers:
        if marker.outcome is not WriteOutcome.ACKNOWLEDGED:
            seen.setdefault((Watcher.MARKERS, marker.error), []).append(marker.done)
    for walk in record.walks:
        if not walk.passed:
            text = f"{walk.action}: {walk.error}"
            seen.setdefault((Watcher.WALKS, text), []).append(walk.done)
    return tuple(
        ErrorCount(watcher=watcher, error=error, count=len(times), first=times[0])
        for (watcher, error), times in seen.items()
    )


def _find_blindness(
    record: _Record, steps: Sequence[StepInterval], watchers: Iterable[Watcher]
) -> Iterator[Blindness]:
    for watcher in watchers:
        beats = [beat.at for beat in record.heartbeats if beat.watcher is watcher]
        for start, end in pairwise(_with_edges(beats, steps)):
            if end - start > LONGEST_BLINK:
                yield Blindness(watcher=watcher, start=start, end=end)


def _with_edges(beats: Sequence[datetime], steps: Sequence[StepInterval]) -> Sequence[datetime]:
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


def _doubt_record(record: _Record) -> Iterator[str]:
    for ending in record.endings:
        if ending.why != STOPPED:
            yield f"the canary ended early: {ending.why}"
    if record.unreadable:
        yield f"{len(record.unreadable)} lines of the canary make no sense"
