"""Probes that look at runs: at this one's canary, and at earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.adapters.probes.canary import CanaryProber
from orchestrator.adapters.probes.runs import RunsProber
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.observation import MarkerWrite, Sample, Walk, WriteOutcome
from orchestrator.domain.playbook import Probe
from orchestrator.domain.run import RunId, WatchStarted
from orchestrator.domain.verdict import Verdict
from tests.support.builders import NOON, RUN, a_plan, created, intended
from tests.support.fakes import FakeClock

A_SECOND = timedelta(seconds=1)
EARLIER = RunId("r-earlier")


class Told:
    """A canary that has seen what it is told, and hears news while somebody waits."""

    def __init__(self, *samples: Sample, is_reachable: bool = True) -> None:
        self.seen = list(samples)
        self.is_reachable = is_reachable

    def start(self) -> WatchStarted:
        return WatchStarted(skew_s=0.0, skew_error_s=0.0)

    def samples(self) -> Sequence[Sample]:
        if not self.is_reachable:
            raise TargetUnavailable("client-1: no route to host")
        return tuple(self.seen)

    def samples_file(self) -> str:
        return "samples.jsonl"

    def stop(self) -> None:
        raise AssertionError("a probe changes nothing")


def _marker(seq: int, at_s: float, outcome: WriteOutcome = WriteOutcome.ACKNOWLEDGED) -> Sample:
    at = NOON + timedelta(seconds=at_s)
    return MarkerWrite(seq=seq, sent=at, done=at + timedelta(milliseconds=3), outcome=outcome)


def _walk(number: int, *, passed: bool = True) -> Sample:
    error = "" if passed else "502"
    return Walk(
        number=number,
        sent=NOON,
        done=NOON,
        since=NOON,
        passed=passed,
        action="place-order",
        error=error,
    )


def _look(canary: Told, clock: FakeClock, **inputs: object) -> Evidence:
    probe = Probe(kind="canary", inputs=inputs)
    return CanaryProber(canary, clock).look(probe, within=timedelta(seconds=5))


@pytest.mark.parametrize(
    "known",
    [
        pytest.param([], id="the first of all"),
        pytest.param([_marker(1, -10)], id="after an older one"),
        pytest.param([_marker(1, 3600)], id="though the canary's clock is wrong"),
    ],
)
def test_write_that_is_acknowledged_from_now_on_passes(known: list[Sample]) -> None:
    clock, canary = FakeClock(), Told(*known)
    clock.while_waiting = lambda: canary.seen.append(_marker(2, 0.05))

    evidence = _look(canary, clock, acknowledged_within=1)

    assert evidence.verdict is Verdict.PASSED
    assert evidence.summary == "marker 2 acknowledged in 3.0 ms"


@pytest.mark.parametrize(
    "news",
    [
        pytest.param(_marker(1, 0.05), id="known before"),
        pytest.param(_marker(2, 0.05, WriteOutcome.UNKNOWN), id="not acknowledged"),
        pytest.param(_walk(1), id="no write at all"),
    ],
)
def test_write_that_proves_nothing_about_now_does_not_pass(news: Sample) -> None:
    clock, canary = FakeClock(), Told(_marker(1, 0.05))
    clock.while_waiting = lambda: canary.seen.append(news)

    evidence = _look(canary, clock, acknowledged_within=1)

    assert evidence.verdict is Verdict.FAILED
    assert evidence.summary == "no write acknowledged in 1 s"


def test_probe_waits_no_longer_than_it_may() -> None:
    clock = FakeClock()

    evidence = _look(Told(), clock, acknowledged_within=60)

    assert evidence.summary == "no write acknowledged in 5 s"


@pytest.mark.parametrize(
    ("walks", "verdict", "summary"),
    [
        pytest.param([True] * 3, Verdict.PASSED, "3 of 3 walks in a row passed", id="enough"),
        pytest.param([False, True, True, True], Verdict.PASSED, "3 of 3", id="of late"),
        pytest.param([True, True], Verdict.FAILED, "2 of 3 walks in a row passed", id="too few"),
        pytest.param(
            [True, False, True],
            Verdict.FAILED,
            "walk 1 failed at place-order: 502",
            id="one bad",
        ),
    ],
)
def test_latest_walks_must_all_have_passed(
    walks: list[bool], verdict: Verdict, summary: str
) -> None:
    canary = Told(*(_walk(number, passed=passed) for number, passed in enumerate(walks)))

    evidence = _look(canary, FakeClock(), walks_in_a_row=3)

    assert evidence.verdict is verdict
    assert evidence.summary.startswith(summary)


def test_canary_that_cannot_be_heard_is_inconclusive() -> None:
    evidence = _look(Told(is_reachable=False), FakeClock(), walks_in_a_row=3)

    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.summary == "client-1: no route to host"


def test_probe_that_expects_nothing_of_the_canary_is_inconclusive() -> None:
    assert _look(Told(), FakeClock()).verdict is Verdict.INCONCLUSIVE


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def journal(tmp_path: Path, clock: FakeClock) -> SqliteJournal:
    return SqliteJournal(tmp_path / "journal.sqlite", clock)


def _look_at_runs(journal: SqliteJournal, clock: FakeClock) -> Evidence:
    probe = Probe(kind="runs", inputs={"resource": "orders-db", "none_within": 3600})
    return RunsProber(journal, clock, RUN).look(probe, within=A_SECOND)


def _tell(journal: SqliteJournal, run: RunId, *resources: str, begins: bool = True) -> None:
    beginning = replace(created(a_plan()), resources=resources)
    steps = [intended()] if begins else []
    journal.append(run, after=0, events=[beginning, *steps])


def test_run_that_changed_the_resource_lately_fails_the_probe(
    journal: SqliteJournal, clock: FakeClock
) -> None:
    _tell(journal, EARLIER, "orders-db")
    clock.advance(timedelta(minutes=59))

    evidence = _look_at_runs(journal, clock)

    assert evidence.verdict is Verdict.FAILED
    assert evidence.summary == "run r-earlier began to change orders-db at 12:00:00 UTC"


def test_run_that_is_long_ago_does_not_count(journal: SqliteJournal, clock: FakeClock) -> None:
    _tell(journal, EARLIER, "orders-db")
    clock.advance(timedelta(hours=1))

    assert _look_at_runs(journal, clock).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("run", "resource", "begins"),
    [
        pytest.param(RUN, "orders-db", True, id="this run itself"),
        pytest.param(EARLIER, "billing-db", True, id="another resource"),
        pytest.param(EARLIER, "orders-db", False, id="one that changed nothing"),
    ],
)
def test_other_runs_do_not_count(
    journal: SqliteJournal, clock: FakeClock, run: RunId, resource: str, begins: bool
) -> None:
    _tell(journal, run, resource, begins=begins)

    assert _look_at_runs(journal, clock).verdict is Verdict.PASSED


def test_no_runs_at_all_pass(journal: SqliteJournal, clock: FakeClock) -> None:
    assert _look_at_runs(journal, clock).verdict is Verdict.PASSED
