"""The process that drives a run is killed while people are asked: somebody resumes the run."""

from __future__ import annotations

import os
import signal

import pytest

from orchestrator.adapters.canary.samples import read_samples
from orchestrator.domain.observation import MarkerWrite, WriteOutcome
from orchestrator.domain.run import DriverStarted, GateWaits
from tests.support.lab import wait_until
from tests.support.orders_db import OrdersDb
from tests.support.recover_command import Recover, Run
from tests.support.waiting import wall_clock

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("full_lab")]


def test_run_whose_driver_was_killed_is_resumed_and_verified_with_all_that_users_saw(
    orders_db: OrdersDb, recover: Recover
) -> None:
    target = orders_db.target
    run = recover.start()
    run.await_event(GateWaits)
    killed_at = _kill_driver(run)
    assert run.row()["state"] == "orphaned"
    assert run.attach().returncode == 6
    _await_more_markers(orders_db, run)
    resumed_at = wall_clock()

    resumed = recover("resume", run.name)
    assert resumed.returncode == 0, resumed.stderr
    run.sign()
    told = run.attach()

    report = run.report()
    assert told.returncode == 0, told.stdout
    assert report["verdict"] == "passed"
    assert "resumed" in {deviation["kind"] for deviation in report["deviations"]}
    assert len(run.all_of(DriverStarted)) == 2
    assert report["writes"]["lost"] == 0
    assert orders_db.primary == target
    acknowledged = _acknowledged_at(run)
    assert acknowledged[0] < killed_at < resumed_at < acknowledged[-1]
    assert any(killed_at < at < resumed_at for at in acknowledged)
    assert len(acknowledged) == report["writes"]["acknowledged"]


def _kill_driver(run: Run) -> float:
    [driver] = run.all_of(DriverStarted)
    os.kill(driver.pid, signal.SIGKILL)
    wait_until(lambda: run.row()["state"] != "open", "a run without a driver")
    return wall_clock()


def _await_more_markers(db: OrdersDb, run: Run) -> None:
    """Wait until the canary has gone on writing with nobody to ask it to."""
    count = "select count(*) from recover_marker where run = %s"
    [(before,)] = db.ask(db.primary, count, run.name)
    enough = int(str(before)) + 10
    wait_until(
        lambda: int(str(db.ask(db.primary, count, run.name)[0][0])) > enough, "more markers"
    )


def _acknowledged_at(run: Run) -> list[float]:
    """Return when each marker write was acknowledged, as the canary wrote it down."""
    lines = (run.recover.state / "runs" / run.name / "samples.jsonl").read_bytes().splitlines()
    return [
        sample.done.timestamp()
        for sample in read_samples(lines)
        if isinstance(sample, MarkerWrite) and sample.outcome is WriteOutcome.ACKNOWLEDGED
    ]
