from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.domain.canonical import canonical_json
from orchestrator.domain.observation import (
    Downtime,
    MarkerId,
    Measurement,
    Sample,
    StepInterval,
    Unreadable,
    Waits,
    Watcher,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.watching import measure
from tests.support.looks import (
    a_marker,
    a_quiet_second,
    a_step,
    after,
    ended,
    found_all,
    found_times,
    heartbeats,
    markers,
    ms,
    numbers,
    walks,
)


def measured_by_markers(pattern: str) -> Measurement:
    samples = [*markers(pattern), *heartbeats(1000)]
    return measure(samples, [], found=found_all(samples), watchers=[Watcher.MARKERS])


def measured_by_walks(pattern: str) -> Measurement:
    samples = [*walks(pattern), *heartbeats(1000)]
    return measure(samples, [], found=None, watchers=[Watcher.WALKS])


def test_quiet_time_costs_nothing_and_leaves_no_doubt() -> None:
    samples = a_quiet_second()

    measurement = measure(samples, [a_step("one", 100, 900)], found=found_all(samples))

    assert measurement.verdict is Verdict.PASSED
    assert measurement.downtime == Downtime(at_least=ms(0), at_most=ms(0))
    assert measurement.outages == ()
    assert measurement.charges == {}
    assert (measurement.walks.passed, measurement.walks.failed) == (6, 0)


@pytest.mark.parametrize(
    ("pattern", "at_least", "at_most"),
    [
        pytest.param("++++++++", 0, 0, id="never down"),
        pytest.param("+++-++++", 1, 20, id="one bad look"),
        pytest.param("+++---++", 21, 40, id="one outage"),
        pytest.param("++-+--++", 12, 50, id="two outages"),
        pytest.param("+++?++++", 1, 20, id="an unknown write is no good look"),
        pytest.param("++++++++          ++++++", 0, 110, id="a long silence is perhaps down"),
        pytest.param("++++++++         ++++++", 0, 0, id="a short one is trusted"),
        pytest.param("+++-            -+++", 2, 150, id="nor is a long silence within an outage"),
    ],
)
def test_downtime_lies_between_what_was_seen_and_what_was_not(
    pattern: str, at_least: float, at_most: float
) -> None:
    downtime = measured_by_markers(pattern).downtime

    assert downtime == Downtime(at_least=ms(at_least), at_most=ms(at_most))


def test_failing_walk_counts_from_the_action_that_failed() -> None:
    downtime = measured_by_walks("++-++").downtime

    assert downtime == Downtime(at_least=ms(20), at_most=ms(400))


def test_what_both_watchers_saw_counts_once() -> None:
    samples = [
        *markers("+" * 40 + " " * 30 + "+" * 50),
        *walks("++-+++"),
        *heartbeats(1000),
    ]

    measurement = measure(samples, [], found=found_all(samples))

    assert measurement.downtime.at_most == ms(701 - 240)
    assert measurement.outages[0].seen_by == (Watcher.MARKERS, Watcher.WALKS)


def test_two_watchers_that_saw_different_outages_both_count() -> None:
    samples = [*markers("+" * 90 + " " * 10 + "+" * 20), *walks("+-++++"), *heartbeats(1000)]

    measurement = measure(samples, [], found=found_all(samples))

    assert [outage.seen_by for outage in measurement.outages] == [
        (Watcher.WALKS,),
        (Watcher.MARKERS,),
    ]


def test_outage_is_charged_to_the_steps_it_fell_into() -> None:
    samples = [*markers("+" * 11 + " " * 29 + "+" * 80), *walks("+" * 6), *heartbeats(1000)]
    steps = [a_step("hold", 50, 151), a_step("promote", 201, 301), a_step("resume", 301, 390)]

    measurement = measure(samples, steps, found=found_all(samples))

    (outage,) = measurement.outages
    assert (outage.start, outage.end) == (after(101), after(401))
    assert outage.charges == {"hold": ms(50), "promote": ms(100), "resume": ms(89)}
    assert outage.between_steps == ms(61)
    assert measurement.charges == outage.charges


def test_step_within_a_step_is_charged_alone() -> None:
    samples = [*markers("+" * 11 + " " * 29 + "+" * 80), *heartbeats(1000)]
    steps = [a_step("whole", 0, 1000), a_step("part", 201, 301)]

    (outage,) = measure(
        samples, steps, found=found_all(samples), watchers=[Watcher.MARKERS]
    ).outages

    assert outage.charges == {"whole": ms(200), "part": ms(100)}


def test_charges_of_all_outages_add_up_by_step() -> None:
    pattern = "+" * 11 + " " * 14 + "+" * 20 + " " * 14 + "+" * 20
    samples = [*markers(pattern), *heartbeats(1000)]

    measurement = measure(
        samples, [a_step("slow", 0, 900)], found=found_all(samples), watchers=[Watcher.MARKERS]
    )

    assert len(measurement.outages) == 2
    assert measurement.charges == {"slow": ms(300)}


def test_longest_gap_is_told_apart_from_what_is_usual_here() -> None:
    samples = [*markers("+" * 30 + "  " + "+" * 30 + " " * 9 + "+" * 20), *heartbeats(1000)]

    gaps = measure(
        samples,
        [a_step("move", 500, 800)],
        found=found_all(samples),
        watchers=[Watcher.MARKERS],
    ).gaps

    assert gaps is not None
    assert (gaps.typical, gaps.longest, gaps.longest_from) == (ms(10), ms(100), after(611))
    assert gaps.longest_before_steps == ms(30)


def test_stalls_are_the_waits_for_answers_that_came() -> None:
    samples = [
        *(a_marker(n, n * 10, took_ms=2) for n in range(98)),
        a_marker(98, 980, took_ms=70),
        a_marker(99, 1060, took_ms=500),
    ]

    stalls = measure(samples, [], found=None).stalls

    assert stalls == Waits(p50=ms(2), p99=ms(70), longest=ms(500))


def test_writes_are_counted_against_the_database() -> None:
    samples = markers("++++?-+?")

    there = found_times({0: 1, 1: 2, 3: 1, 4: 1, 5: 1, 6: 1, 99: 1, 7: 0})
    writes = measure(samples, [], found=there).writes

    assert (writes.acknowledged, writes.failed, writes.unknown) == (5, 1, 2)
    assert numbers(writes.lost) == [2]
    assert numbers(writes.duplicate) == [1]
    assert numbers(writes.unknown_found) == [4]
    assert numbers(writes.contradicted) == [5, 99]


def test_writes_that_nobody_counted_are_not_called_lost() -> None:
    writes = measure(markers("+++"), [], found=None).writes

    assert not writes.counted
    assert writes.lost == ()


def test_errors_are_grouped_with_their_first_time() -> None:
    samples = [*markers("+--+-"), *walks("+-")]

    errors = measure(samples, [], found=None).errors

    assert [(e.watcher, e.error, e.count, e.first) for e in errors] == [
        (Watcher.MARKERS, "connection refused", 3, after(11)),
        (Watcher.WALKS, "log-in: status is 503, not 200", 1, after(240)),
    ]


@pytest.mark.parametrize(
    ("samples", "doubt"),
    [
        pytest.param([], "markers: nothing was seen", id="no samples at all"),
        pytest.param(
            [*markers("+" * 50 + "---" + "+" * 50), *walks("++-++"), *heartbeats(1000)],
            "",
            id="an outage with both its edges",
        ),
        pytest.param(
            [*markers("-" + "+" * 99), *walks("+"), *heartbeats(1000)],
            "markers: the service was not seen up before",
            id="down from the beginning",
        ),
        pytest.param(
            [*markers("+" * 99), *walks("++-"), *heartbeats(1000)],
            "walks: the service was not seen up again",
            id="down to the end",
        ),
        pytest.param(
            [*a_quiet_second(), ended("disk full while recording walks")],
            "the canary ended early: disk full",
            id="ended by itself",
        ),
        pytest.param(
            [*a_quiet_second(), Unreadable(line='{"t":"mar')],
            "1 lines of the canary make no sense",
            id="a torn line",
        ),
        pytest.param(
            [
                *markers("+" * 100),
                *walks("+" * 5),
                *heartbeats(500),
                *heartbeats(6000, from_ms=3000),
            ],
            "markers: blind for 2.5 s from 12:00:00 UTC",
            id="a long time without a sign of life",
        ),
    ],
)
def test_what_cannot_be_known_is_said(samples: list[Sample], doubt: str) -> None:
    measurement = measure(samples, [], found=found_all(samples))

    assert any(text.startswith(doubt) for text in measurement.doubts) is bool(doubt)
    assert measurement.verdict is (Verdict.INCONCLUSIVE if doubt else Verdict.PASSED)


@pytest.mark.parametrize(
    ("step", "blind_ms"),
    [
        pytest.param(a_step("early", -3000, 900), [(-3000, 0)] * 2, id="it came too late"),
        pytest.param(a_step("late", 100, 9000), [(1000, 9000)] * 2, id="it left too early"),
        pytest.param(a_step("inside", 100, 2900), [], id="its edges are near enough"),
    ],
)
def test_canary_must_have_watched_all_the_steps(
    step: StepInterval, blind_ms: list[tuple[float, float]]
) -> None:
    samples = a_quiet_second()

    measurement = measure(samples, [step], found=found_all(samples))

    assert [(p.start, p.end) for p in measurement.blind] == [
        (after(start), after(end)) for start, end in blind_ms
    ]
    assert bool(measurement.doubts) is bool(blind_ms)


def test_watcher_that_never_woke_was_blind_all_along() -> None:
    samples = [*markers("+" * 100), *walks("+"), *heartbeats(1000, watchers=[Watcher.MARKERS])]

    measurement = measure(samples, [a_step("one", 0, 5000)], found=found_all(samples))

    assert [(p.watcher, p.end - p.start) for p in measurement.blind] == [
        (Watcher.MARKERS, ms(4000)),
        (Watcher.WALKS, ms(5000)),
    ]


def test_blind_time_is_perhaps_down() -> None:
    samples = [*a_quiet_second(), *heartbeats(5000, from_ms=4000)]

    downtime = measure(samples, [], found=found_all(samples)).downtime

    assert downtime == Downtime(at_least=ms(0), at_most=ms(3000))


def test_write_that_is_there_though_nobody_sent_it_makes_the_count_doubtful() -> None:
    samples = a_quiet_second()

    measurement = measure(samples, [], found={**found_all(samples), MarkerId("", 5000): 1})

    assert measurement.doubts == ("1 marker writes are there that nobody sent in full",)


def test_clock_of_the_client_host_is_put_right() -> None:
    samples = a_quiet_second()
    there = [sample.shifted(timedelta(hours=-8)) for sample in samples]

    measurement = measure(
        there, [a_step("one", 100, 900)], found=found_all(samples), skew=timedelta(hours=8)
    )

    assert measurement == measure(samples, [a_step("one", 100, 900)], found=found_all(samples))


def test_measurement_can_be_written_into_a_journal() -> None:
    samples = [*a_quiet_second(), *markers(" " * 130 + "--+")]

    measurement = measure(samples, [a_step("one", 100, 900)], found=found_all(samples))

    assert b'"at_most":' in canonical_json(measurement)
