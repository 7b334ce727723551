"""What the canary sees of a real database and a real shop in trouble, and what comes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.canary.spec import MarkerSpec, WalkSpec
from orchestrator.domain.observation import (
    Ended,
    Found,
    Heartbeat,
    MarkerId,
    MarkerWrite,
    Measurement,
    StepInterval,
    Walk,
    Watcher,
    WriteOutcome,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.watching import measure
from tests.support.real_canary import RealCanary, heartbeats_in, markers_in, walks_in
from tests.support.real_postgresql import RealPostgresql, free_port
from tests.support.real_shop import RealShop
from tests.support.waiting import wait_until, wall_clock

NOISE = timedelta(milliseconds=400)
"""How much later than the truth a busy machine may let us see it."""


def test_every_marker_is_counted(
    canary: RealCanary, markers: MarkerSpec, postgresql: RealPostgresql
) -> None:
    canary.start(canary.spec(markers))
    canary.wait_for(200, MarkerWrite)
    canary.stop()

    measurement = account_for(canary, postgresql)

    assert measurement.verdict is Verdict.PASSED
    assert measurement.writes.acknowledged >= 200
    assert measurement.writes.acknowledged == len(found(canary, postgresql))
    assert measurement.gaps is not None
    assert timedelta(milliseconds=8) < measurement.gaps.typical < timedelta(milliseconds=20)


def test_frozen_database_is_a_gap_of_its_true_length(
    canary: RealCanary, markers: MarkerSpec, postgresql: RealPostgresql
) -> None:
    canary.start(canary.spec(markers))
    canary.wait_for(50, MarkerWrite)

    with the_step("freeze") as step:
        postgresql.freeze()
        threading.Event().wait(0.8)
        postgresql.thaw()
    canary.wait_for(50, MarkerWrite, after=len(markers_in(canary.written())))
    canary.stop()
    measurement = account_for(canary, postgresql, [step.interval])

    truth = step.interval.end - step.interval.start
    assert measurement.gaps is not None
    assert truth - NOISE < measurement.gaps.longest < truth + NOISE
    assert measurement.charges["freeze"] > truth - NOISE
    assert measurement.downtime.at_least == timedelta(0)
    assert measurement.downtime.at_most >= measurement.gaps.longest
    assert (measurement.writes.failed, measurement.writes.unknown) == (0, 0)


def test_killed_database_leaves_failed_and_unknown_writes_and_loses_none(
    canary: RealCanary, markers: MarkerSpec, postgresql: RealPostgresql
) -> None:
    canary.start(canary.spec(markers))
    canary.wait_for(50, MarkerWrite)

    # Frozen first, so that one write is certainly under way when the server dies.
    postgresql.freeze()
    threading.Event().wait(0.1)
    with the_step("kill") as step:
        postgresql.kill()
        wait_until(
            lambda: bool(markers_in(canary.written(), WriteOutcome.FAILED)), "a write has failed"
        )
        postgresql.start()
    canary.wait_for(50, MarkerWrite, after=len(markers_in(canary.written())))
    canary.stop()
    measurement = account_for(canary, postgresql, [step.interval])

    assert measurement.writes.unknown == 1
    assert measurement.writes.failed > 0
    assert (measurement.writes.lost, measurement.writes.contradicted) == ((), ())
    assert measurement.downtime.at_least > timedelta(0)
    assert measurement.verdict is Verdict.PASSED


def test_write_without_an_answer_is_unknown_even_if_it_arrived(
    canary: RealCanary, markers: MarkerSpec, postgresql: RealPostgresql
) -> None:
    canary.start(canary.spec(replace(markers, deadline_s=0.3)))
    canary.wait_for(20, MarkerWrite)

    postgresql.freeze()
    try:
        wait_until(
            lambda: bool(markers_in(canary.written(), WriteOutcome.UNKNOWN)), "one is unknown"
        )
    finally:
        postgresql.thaw()
    canary.wait_for(20, MarkerWrite, after=len(markers_in(canary.written())))
    canary.stop()

    (unknown,) = markers_in(canary.written(), WriteOutcome.UNKNOWN)
    wait_until(lambda: unknown.name in found(canary, postgresql), "the frozen write comes through")
    writes = account_for(canary, postgresql).writes
    assert writes.unknown_found == (unknown.name,)
    assert writes.lost == ()


def test_refused_write_is_failed_and_left_nothing(
    canary: RealCanary, markers: MarkerSpec, postgresql: RealPostgresql
) -> None:
    canary.start(canary.spec(markers))
    canary.wait_for(10, MarkerWrite)

    postgresql.execute("revoke insert on recover_marker from canary", dbname="shop")
    try:
        wait_until(
            lambda: len(markers_in(canary.written(), WriteOutcome.FAILED)) > 10, "writes fail"
        )
    finally:
        postgresql.execute("grant insert on recover_marker to canary", dbname="shop")
    canary.stop()

    measurement = account_for(canary, postgresql)
    assert measurement.writes.contradicted == ()
    assert measurement.errors[0].error == "permission denied for table recover_marker (42501)"


def test_black_hole_is_reported_and_never_blinds(canary: RealCanary, markers: MarkerSpec) -> None:
    with a_black_hole() as port:
        database = {**markers.database, "port": port}
        canary.start(canary.spec(replace(markers, database=database, connect_s=0.3)))
        samples = canary.wait_for(8, MarkerWrite)
        canary.wait_for(len(heartbeats_in(samples)) + 2, Heartbeat)
        canary.stop()

    assert {marker.error for marker in markers_in(canary.written())} == {
        "no connection within 0.3 s"
    }


def test_hung_journey_does_not_blind_the_markers(
    canary: RealCanary, markers: MarkerSpec, walks: WalkSpec, shops: tuple[RealShop, RealShop]
) -> None:
    canary.start(canary.spec(markers, replace(walks, deadline_s=2.5)))
    canary.wait_for(2, Walk)

    shops[0].process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: not walks_in(canary.written())[-1].passed, "a walk fails")
    finally:
        shops[0].process.send_signal(signal.SIGCONT)
    wait_until(lambda: walks_in(canary.written())[-1].passed, "a walk passes again")
    canary.stop()

    measurement = measure(canary.written(), [], found=None)
    hung = next(walk for walk in walks_in(canary.written()) if not walk.passed)
    during = [m for m in markers_in(canary.written()) if hung.since < m.done < hung.done]
    assert hung.error.startswith("no answer in time")
    assert len(during) > 50
    assert measurement.blind == ()
    assert measurement.downtime.at_least > timedelta(seconds=1)
    assert Watcher.WALKS in measurement.outages[0].seen_by


def test_frozen_canary_is_blind_and_the_measurement_says_so(
    canary: RealCanary, markers: MarkerSpec, postgresql: RealPostgresql
) -> None:
    pid = canary.start(canary.spec(markers))["pid"]
    canary.wait_for(20, MarkerWrite)
    (watcher,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    os.kill(watcher, signal.SIGSTOP)
    threading.Event().wait(2.7)
    os.kill(watcher, signal.SIGCONT)
    canary.wait_for(20, MarkerWrite, after=len(markers_in(canary.written())))
    canary.stop()

    measurement = account_for(canary, postgresql)
    assert len(measurement.blind) == 1
    assert measurement.verdict is Verdict.INCONCLUSIVE
    assert measurement.downtime.at_most > timedelta(seconds=2)


def test_full_disk_ends_it_and_it_says_so(markers: MarkerSpec) -> None:
    with a_small_disk() as directory:
        canary = RealCanary(run="full", directory=directory)
        canary.start(canary.spec(markers))

        (directory / "ballast").write_bytes(bytes(_room_on(directory)))

        wait_until(lambda: not canary.nest.is_alive(), "it has ended")
        last = canary.written()[-1]
        assert isinstance(last, Ended)
        assert last.why == "disk full while recording markers"
        assert measure(canary.written(), [], found=None).verdict is Verdict.INCONCLUSIVE


def account_for(
    canary: RealCanary, postgresql: RealPostgresql, steps: list[StepInterval] | None = None
) -> Measurement:
    return measure(
        canary.samples(),
        steps or [],
        found=found(canary, postgresql),
        watchers=[Watcher.MARKERS],
    )


def found(canary: RealCanary, postgresql: RealPostgresql) -> Found:
    """Count the run's markers in the database."""
    with postgresql.connect(dbname="shop") as connection:
        rows = connection.execute(
            "select seq, count(*) from recover_marker where run = %s group by seq", [canary.run]
        )
        return {MarkerId("", int(str(seq))): int(str(count)) for seq, count in rows}


class TimedStep:
    """A step whose interval is known once it is over."""

    interval: StepInterval


@contextmanager
def the_step(name: str) -> Iterator[TimedStep]:
    step, start = TimedStep(), datetime.fromtimestamp(wall_clock(), UTC)
    yield step
    step.interval = StepInterval(
        step=name, start=start, end=datetime.fromtimestamp(wall_clock(), UTC)
    )


@contextmanager
def a_black_hole() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    import socket

    with socket.create_server(("127.0.0.1", free_port()), backlog=64) as hole:
        yield int(hole.getsockname()[1])


@contextmanager
def a_small_disk() -> Iterator[Path]:
    """A file system of one MiB."""
    with tempfile.TemporaryDirectory() as home:
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", home]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("may not mount here, so cannot fill a disk")
        try:
            yield Path(home)
        finally:
            subprocess.run(["umount", home], check=True)


def _room_on(directory: Path) -> int:
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize
