"""What a standing watch adds: evidence from before anybody asked for the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from orchestrator.domain.observation import (
    STANDING,
    MarkerId,
    MarkerWrite,
    Measurement,
    Sample,
    Walk,
    Watcher,
    WriteOutcome,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.watching import measure
from tests.support.builders import RUN
from tests.support.looks import (
    a_marker,
    a_step,
    after,
    ended,
    found_all,
    heartbeats,
    markers,
    ms,
    walks,
)

ASKED_MS = 5000


def standing(pattern: str, *, every_ms: float = 100) -> list[Sample]:
    """Markers and walks of a standing watch from noon on."""
    return [*_by(STANDING, markers(pattern, every_ms=every_ms))]


def own(pattern: str, *, from_ms: float = ASKED_MS) -> list[Sample]:
    """Markers of the run's own canary, every 10 ms."""
    later = [sample.shifted(ms(from_ms)) for sample in markers(pattern)]
    return [*_by(RUN, later)]


def _by(canary: str, samples: Iterable[Sample]) -> Iterable[Sample]:
    for sample in samples:
        assert isinstance(sample, MarkerWrite | Walk)
        yield replace(sample, canary=canary)


def measured(
    samples: Sequence[Sample],
    *,
    opened_ms: float | None = None,
    step: tuple[float, float] = (5200, 5600),
) -> Measurement:
    beats = heartbeats(20_000, watchers=[Watcher.MARKERS])
    return measure(
        [*samples, *beats, ended()],
        [a_step("promote", *step)],
        found=found_all(samples),
        watchers=[Watcher.MARKERS],
        run=RUN,
        asked=after(ASKED_MS),
        opened=None if opened_ms is None else after(opened_ms),
    )


FAULT_AT_3_S = [*standing("+" * 31 + "-" * 25 + "+" * 10), *own("-" * 60 + "+" * 60)]
"""Down from 3.0 s on; asked for at 5.0 s; back at 5.6 s."""


def test_outage_that_began_before_the_run_counts_from_its_beginning() -> None:
    measurement = measured(FAULT_AT_3_S)

    (outage,) = measurement.outages
    assert outage.start == after(3001)
    assert outage.end == after(5601)
    assert outage.before_steps == ms(5200 - 3001)
    assert outage.charges == {"promote": ms(400)}
    assert outage.between_steps == ms(1)
    assert measurement.verdict is Verdict.PASSED


def test_end_of_an_outage_is_seen_by_the_closest_watcher() -> None:
    downtime = measured(FAULT_AT_3_S).downtime

    assert ms(2450) < downtime.at_least < downtime.at_most == ms(2600)


def test_outage_that_was_over_when_the_run_was_asked_for_is_not_its_own() -> None:
    samples = [*standing("+" * 10 + "-" * 20 + "+" * 50), *own("+" * 300)]

    measurement = measured(samples)

    assert measurement.outages == ()
    assert measurement.downtime.at_most == ms(0)
    assert measurement.errors == ()
    assert measurement.writes.failed == 20


def test_writes_of_both_count_and_keep_apart() -> None:
    samples = [*standing("++"), *own("++")]
    there = {MarkerId(STANDING, 0): 1, MarkerId(RUN, 1): 1, MarkerId(RUN, 0): 2}

    writes = measure(samples, [], found=there, run=RUN).writes

    assert writes.acknowledged == 4
    assert writes.lost == (MarkerId(STANDING, 1),)
    assert writes.duplicate == (MarkerId(RUN, 0),)


def test_what_a_standing_watch_has_under_way_contradicts_nothing() -> None:
    failed = replace(a_marker(3, 40, WriteOutcome.FAILED), canary=STANDING)
    there = {MarkerId(STANDING, 3): 1, MarkerId(STANDING, 99): 1, MarkerId(RUN, 99): 1}

    writes = measure([failed], [], found=there, run=RUN).writes

    assert writes.contradicted == (MarkerId(RUN, 99), MarkerId(STANDING, 3))


def test_rare_markers_of_a_standing_watch_are_no_silence() -> None:
    assert measured([*standing("+" * 60), *own("+" * 100)]).downtime.at_most == ms(0)


def test_silence_of_the_own_canary_counts_though_it_would_be_usual_for_the_other() -> None:
    samples = [*standing("+" * 50), *own("+" * 30 + " " * 15 + "+" * 30)]

    assert measured(samples).downtime.at_most == ms(160)


def test_hung_write_is_ended_by_the_next_that_gets_through() -> None:
    hung = replace(a_marker(900, 5300, WriteOutcome.UNKNOWN, took_ms=5000), canary=RUN)
    samples = [*own("+" * 30 + " " * 30 + "+" * 500), hung]

    downtime = measured(samples).downtime

    assert downtime.at_least == ms(301)
    assert downtime.at_most == ms(310)


@pytest.mark.parametrize(
    ("samples", "opened_ms", "back_after_ms"),
    [
        pytest.param(FAULT_AT_3_S, 5150, 451, id="down when the gate opened"),
        pytest.param(FAULT_AT_3_S, None, None, id="no gate opened"),
        pytest.param([], 5150, None, id="nobody watched"),
        pytest.param(own("+" * 60), 5150, 0, id="never down"),
        pytest.param(
            own("+" * 30 + "-" * 2 + "+" * 30 + "-" * 20 + "+" * 30), 5150, 671, id="down later"
        ),
        pytest.param([*own("+" * 9 + "-" * 99)], 5150, None, id="not seen back"),
    ],
)
def test_way_back_counts_from_the_gate_to_the_first_write_behind_the_outage(
    samples: list[Sample], opened_ms: float | None, back_after_ms: float | None
) -> None:
    back_after = measured(samples, opened_ms=opened_ms).back_after

    assert back_after == (None if back_after_ms is None else ms(back_after_ms))


def test_outage_without_a_witness_of_its_beginning_is_said_to_have_none() -> None:
    assert not measured(own("-" * 30 + "+" * 30)).seen_up_before
    assert measured(FAULT_AT_3_S).seen_up_before


def test_walks_of_both_are_looked_at_together() -> None:
    theirs = _by(STANDING, walks("+" * 5, every_ms=1000))
    ours = _by(RUN, [w.shifted(ms(ASKED_MS)) for w in walks("+-+")])

    measurement = measure(
        [*theirs, *ours, *heartbeats(7000)],
        [],
        found=None,
        watchers=[Watcher.WALKS],
        asked=after(ASKED_MS),
    )

    assert (measurement.walks.passed, measurement.walks.failed) == (3, 1)
    assert measurement.errors[0].count == 1
