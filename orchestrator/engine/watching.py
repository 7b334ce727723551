"""Stage 4 of 6, watch: turn what canaries saw into numbers. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise

from orchestrator.domain.observation import (
    STOPPED,
    Blindness,
    Downtime,
    Ended,
    Found,
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
    Watcher,
    Writes,
)
from orchestrator.engine.attention import measure_gaps, patience_of
from orchestrator.engine.counting import count_errors, count_walks, count_writes
from orchestrator.engine.outages import (
    Darkness,
    Look,
    Spans,
    cut_short,
    find_outages,
    merge,
    see_darkness,
    total,
)

LONGEST_BLINK = timedelta(seconds=2)
"""A watcher that gives no sign of life for longer than this was blind."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What canaries wrote down, sorted by kind, each kind in order of its answers."""

    markers: tuple[MarkerWrite, ...]
    walks: tuple[Walk, ...]
    heartbeats: tuple[Heartbeat, ...]
    endings: tuple[Ended, ...]
    unreadable: tuple[Unreadable, ...]

    def looks(self, watcher: Watcher) -> Mapping[str, Sequence[Look]]:
        """Return what each canary's *watcher* saw."""
        looks: dict[str, list[Look]] = {}
        for seen in self.markers if watcher is Watcher.MARKERS else self.walks:
            looks.setdefault(seen.canary, []).append(_look_of(seen))
        return looks

    def since(self, begun: Mapping[Watcher, datetime]) -> _Record:
        """Return it without what was answered before."""
        return replace(
            self,
            markers=tuple(m for m in self.markers if m.done >= begun[Watcher.MARKERS]),
            walks=tuple(w for w in self.walks if w.done >= begun[Watcher.WALKS]),
        )


def measure(
    samples: Iterable[Sample],
    steps: Sequence[StepInterval],
    *,
    found: Found | None,
    skew: timedelta = timedelta(0),
    watchers: Collection[Watcher] = tuple(Watcher),
    run: str = "",
    asked: datetime = LONG_AGO,
    opened: datetime | None = None,
) -> Measurement:
    """Say what a run cost its users, and whether we can know.

    Args:
        samples: What canaries wrote down, by the clock of their host, in any order.
        steps: When each step was at work, by the controller's clock.
        found: How often each marker is in the database now; nothing if not counted.
        skew: What to add to the canaries' clock to get the controller's.
        watchers: Who was to watch. The silence of one that was not is no doubt.
        run: Name of the run's own canary; a standing watch goes on.
        asked: When somebody asked for the run. An outage that was over by then is not its own;
            writes that were acknowledged before are.
        opened: When its first gate opened.
    """
    record = _sort(samples, skew)
    looks, dark = {}, {}
    for watcher in Watcher:
        canaries = record.looks(watcher)
        looks[watcher] = _from_last_good(cut_short(chain(*canaries.values())), asked)
        dark[watcher] = see_darkness(looks[watcher], patience_of(canaries, steps))
    begun = {w: looks[w][0].tried.end if looks[w] else LONG_AGO for w in Watcher}
    own = record.since(begun)
    blind = tuple(b for b in _find_blindness(record, steps, watchers) if b.end > asked)
    writes = count_writes(record.markers, found, run=run)
    seen = looks[Watcher.MARKERS]
    return Measurement(
        downtime=_bound_downtime(dark.values(), blind),
        gaps=measure_gaps(seen, steps),
        outages=_find_outages(dark, steps),
        stalls=_measure_waits(look for look in seen if look.is_good),
        walk_times=_measure_waits(look for look in looks[Watcher.WALKS] if look.is_good),
        writes=writes,
        walks=count_walks(own.walks),
        errors=count_errors(own.markers, own.walks),
        blind=blind,
        back_after=_measure_way_back(seen, dark[Watcher.MARKERS].perhaps, opened),
        seen_up_before=bool(seen) and seen[0].is_good,
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
        markers=tuple(sorted(markers, key=lambda m: (m.done, m.sent, m.name, m.outcome, m.error))),
        walks=tuple(sorted(walks, key=lambda w: (w.done, w.sent, w.canary, w.number))),
        heartbeats=tuple(sorted(beats, key=lambda beat: beat.at)),
        endings=tuple(sorted(endings, key=lambda ending: (ending.at, ending.why))),
        unreadable=tuple(sample for sample in shifted if isinstance(sample, Unreadable)),
    )


def _look_of(seen: MarkerWrite | Walk) -> Look:
    if isinstance(seen, MarkerWrite):
        return Look(tried=Interval(seen.sent, seen.done), is_good=seen.is_acknowledged)
    return Look(tried=Interval(seen.since, seen.done), is_good=seen.passed)


def _from_last_good(looks: Sequence[Look], asked: datetime) -> Sequence[Look]:
    """Leave out what came before the last good answer of the time before *asked*."""
    good = (i for i, look in enumerate(looks) if look.is_good and look.tried.end <= asked)
    return looks[max(good, default=0) :]


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


def _measure_way_back(
    looks: Sequence[Look], dark: Spans, opened: datetime | None
) -> timedelta | None:
    """Return how long after *opened* the first write was acknowledged behind the outage.

    It is the outage that was on by then, or else the longest of those that followed.
    """
    if opened is None or not looks:
        return None
    behind = [span for span in dark if span.end > opened]
    outage = max(behind, key=lambda span: (span.start <= opened, span.length), default=None)
    if outage is None:
        return timedelta(0)
    back = (look.tried.end for look in looks if look.is_good and look.tried.end >= outage.end)
    first = next(back, None)
    return None if first is None else first - opened


def _bound_downtime(dark: Iterable[Darkness], blind: Iterable[Blindness]) -> Downtime:
    accounts = tuple(dark)
    surely = chain.from_iterable(account.surely for account in accounts)
    perhaps = chain.from_iterable(account.perhaps for account in accounts)
    unseen = (Interval(period.start, period.end) for period in blind)
    return Downtime(at_least=total(merge(surely)), at_most=total(merge(chain(perhaps, unseen))))


def _measure_waits(looks: Iterable[Look]) -> Waits | None:
    ranked = sorted(look.tried.length for look in looks)
    if not ranked:
        return None
    return Waits(p50=_rank(ranked, 50), p99=_rank(ranked, 99), longest=ranked[-1])


def _rank(ranked: Sequence[timedelta], percent: int) -> timedelta:
    """Return the nearest-rank percentile: a value that really occurred."""
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


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
