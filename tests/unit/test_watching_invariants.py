"""What must hold of a measurement, whatever the canary saw."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.observation import (
    Heartbeat,
    MarkerId,
    MarkerWrite,
    Measurement,
    Sample,
    StepInterval,
    Walk,
    Watcher,
    WriteOutcome,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.watching import measure
from tests.support.looks import a_marker, after

MOMENTS = st.integers(0, 3000)
LENGTHS = st.integers(0, 400)

marker_writes = st.builds(
    lambda seq, at, took, outcome: a_marker(seq, at, outcome, took_ms=took),
    st.integers(1, 50),
    MOMENTS,
    LENGTHS,
    st.sampled_from(WriteOutcome),
)


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    sent = draw(MOMENTS)
    since = sent + draw(LENGTHS)
    return Walk(
        number=draw(st.integers(1, 50)),
        sent=after(sent),
        since=after(since),
        done=after(since + draw(LENGTHS)),
        passed=draw(st.booleans()),
    )


heartbeats = st.builds(
    lambda watcher, at: Heartbeat(watcher=watcher, at=after(at)),
    st.sampled_from(Watcher),
    st.integers(-3000, 9000),
)


@st.composite
def steps(draw: st.DrawFn) -> StepInterval:
    start = draw(MOMENTS)
    end = start + draw(LENGTHS)
    return StepInterval(step=draw(st.sampled_from("abcd")), start=after(start), end=after(end))


many_samples = st.lists(marker_writes | walks() | heartbeats, max_size=40)
many_steps = st.lists(steps(), max_size=5)
names = st.builds(MarkerId, st.just(""), st.integers(1, 60))
counts = st.none() | st.dictionaries(names, st.integers(0, 3))


@given(many_samples, many_steps, counts)
def test_lower_bound_never_exceeds_the_upper_one(
    samples: list[Sample], steps: list[StepInterval], found: dict[MarkerId, int] | None
) -> None:
    downtime = measure(samples, steps, found=found).downtime

    assert timedelta(0) <= downtime.at_least <= downtime.at_most


@given(many_samples, many_steps)
def test_charges_and_the_rest_add_up_to_each_outage(
    samples: list[Sample], steps: list[StepInterval]
) -> None:
    for outage in measure(samples, steps, found=None).outages:
        charged = sum(outage.charges.values(), timedelta(0))

        assert outage.between_steps >= timedelta(0)
        assert charged + outage.between_steps + outage.before_steps == outage.end - outage.start
        assert all(share > timedelta(0) for share in outage.charges.values())
        assert outage.seen_by


@given(many_samples, many_steps)
def test_outages_stand_in_order_and_apart(
    samples: list[Sample], steps: list[StepInterval]
) -> None:
    outages = measure(samples, steps, found=None).outages

    assert all(one.end < other.start for one, other in pairwise(outages))


@given(many_samples, many_steps, counts, st.randoms(use_true_random=False))
def test_order_of_the_samples_does_not_matter(
    samples: list[Sample],
    steps: list[StepInterval],
    found: dict[MarkerId, int] | None,
    shuffling: random.Random,
) -> None:
    shuffled, shuffled_steps = list(samples), list(steps)
    shuffling.shuffle(shuffled)
    shuffling.shuffle(shuffled_steps)

    assert measure(shuffled, shuffled_steps, found=found) == measure(samples, steps, found=found)


@given(many_samples, many_steps, st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_clock_set_wrong_by_any_amount_changes_nothing_once_it_is_known(
    samples: list[Sample], steps: list[StepInterval], wrong: timedelta
) -> None:
    elsewhere = [sample.shifted(-wrong) for sample in samples]

    def cost(measurement: Measurement) -> tuple[object, ...]:
        return measurement.downtime, measurement.outages, measurement.blind, measurement.doubts

    assert cost(measure(elsewhere, steps, found=None, skew=wrong)) == cost(
        measure(samples, steps, found=None)
    )


@given(many_samples, counts)
def test_every_acknowledged_write_is_found_or_lost(
    samples: list[Sample], found: dict[MarkerId, int] | None
) -> None:
    writes = measure(samples, [], found=found).writes

    acknowledged = {
        sample.name
        for sample in samples
        if isinstance(sample, MarkerWrite) and sample.outcome is WriteOutcome.ACKNOWLEDGED
    }
    there = {name for name, count in (found or {}).items() if count}
    assert set(writes.lost) == (acknowledged - there if found is not None else set())
    assert set(writes.duplicate) <= there


@given(many_samples, many_steps, counts, st.sampled_from(Watcher))
def test_without_a_watcher_nothing_is_ever_conclusive(
    samples: list[Sample],
    steps: list[StepInterval],
    found: dict[MarkerId, int] | None,
    missing: Watcher,
) -> None:
    kind = MarkerWrite if missing is Watcher.MARKERS else Walk
    rest = [sample for sample in samples if not isinstance(sample, kind)]

    assert measure(rest, steps, found=found).verdict is Verdict.INCONCLUSIVE
