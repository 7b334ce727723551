"""Every fault of the lab against `database-failover`: what it is called, and what comes of it.

`make fault-suite` runs it and prints the table; a part of it stands in `test_failover.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.diagnosis import Ailment, Decision
from orchestrator.domain.run import ExitCode, StepFinished
from tests.support import failovers
from tests.support.failovers import Case
from tests.support.fault_table import FaultTable
from tests.support.lab import Lab, wait_until
from tests.support.orders_db import MEMBERS, OrdersDb
from tests.support.recover_command import Recover, recover_in

pytestmark = [pytest.mark.lab, pytest.mark.fault_suite, pytest.mark.usefixtures("full_lab")]

LONGEST_DIAGNOSIS_S = 10.0
REFUSE, FAIL_OVER = Decision.REFUSE, Decision.FAIL_OVER

TAKEN_OVER = (
    Case(fault="primary-killed", ailment=Ailment.REFUSED, decision=FAIL_OVER),
    Case(fault="postgresql-stopped", ailment=Ailment.REFUSED, decision=FAIL_OVER),
    Case(fault="primary-frozen", ailment=Ailment.HUNG, decision=FAIL_OVER),
    Case(fault="host-off", ailment=Ailment.BLACK_HOLED, decision=FAIL_OVER),
    Case(fault="host-black-holed", ailment=Ailment.BLACK_HOLED, decision=FAIL_OVER),
    Case(
        fault="primary-killed",
        beside=("standby-lagging",),
        ailment=Ailment.REFUSED,
        decision=FAIL_OVER,
    ),
    Case(
        fault="primary-killed",
        beside=("replay-paused",),
        ailment=Ailment.REFUSED,
        decision=FAIL_OVER,
    ),
    Case(
        fault="primary-killed", beside=("dns-gone",), ailment=Ailment.REFUSED, decision=FAIL_OVER
    ),
)
REFUSED = (
    Case(fault="client-side-cut", ailment=Ailment.PARTLY_HEARD, decision=REFUSE),
    Case(fault="replication-cut", ailment=Ailment.UNREPLICATED, decision=REFUSE),
    Case(fault="disk-full", ailment=Ailment.DISK_FULL, decision=REFUSE),
    Case(fault="read-only", ailment=Ailment.READ_ONLY, decision=REFUSE),
    Case(fault="slow", ailment=Ailment.SLOW, decision=REFUSE),
    Case(fault="pooler-killed", ailment=Ailment.ENTRY_DEAD, decision=REFUSE),
    Case(fault="ssh-dead", ailment=Ailment.HEALTHY, decision=REFUSE),
    Case(fault="standby-lagging", ailment=Ailment.HEALTHY, decision=REFUSE),
    Case(fault="replay-paused", ailment=Ailment.HEALTHY, decision=REFUSE),
    Case(fault="dns-gone", ailment=Ailment.HEALTHY, decision=REFUSE),
)


@pytest.fixture
def recover(lab: Lab, tmp_path: Path) -> Recover:
    """The command, with time enough: how long users wait is what the bench judges."""
    made = recover_in(tmp_path, lab)
    failovers.allow_time(made)
    return made


@pytest.fixture
def standing_watch(recover: Recover, orders_db: OrdersDb) -> Iterator[None]:
    with failovers.watched(recover):
        yield


@pytest.mark.usefixtures("standing_watch")
@pytest.mark.parametrize("case", TAKEN_OVER, ids=str)
def test_a_primary_that_is_lost_is_replaced_and_nothing_acknowledged_with_it(
    case: Case, recover: Recover, orders_db: OrdersDb, fault_table: FaultTable
) -> None:
    old = orders_db.primary
    with failovers.broken(recover, *case.beside, case.fault):
        seen = _await_diagnosis(recover, old, case)
        run = failovers.start(recover)
        failovers.agree(run)
        run.await_event(StepFinished, lambda done: done.step == "drop-dead-connections")
        failovers.heal(recover)
        told = run.attach()
    report = run.report()
    fault_table.add(failovers.row_of(case, seen, report, report["headline"]))

    assert told.returncode == 0, told.stdout + told.stderr
    assert seen.took_s < LONGEST_DIAGNOSIS_S
    assert orders_db.primary != old
    assert failovers.writable_members(orders_db) == [orders_db.primary]
    assert failovers.lost_writes(run, orders_db) == set()
    assert failovers.reported_losses(report) == 0
    assert report["verification"]["verdict"] == "passed"


@pytest.mark.usefixtures("standing_watch")
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_primary_that_somebody_hears_is_left_alone(
    case: Case, recover: Recover, orders_db: OrdersDb, fault_table: FaultTable
) -> None:
    old = orders_db.primary
    with failovers.broken(recover, case.fault):
        seen = _await_diagnosis(recover, old, case)
        run = failovers.start(recover)
        told = run.attach()
    report = run.report()
    fault_table.add(failovers.row_of(case, seen, report, report["headline"]))

    assert told.returncode == ExitCode.REFUSED, told.stdout + told.stderr
    assert seen.took_s < LONGEST_DIAGNOSIS_S
    assert "primary-is-lost" in run.obstacles()
    assert run.begun_steps() == []
    assert failovers.writable_members(orders_db) == [old]
    assert orders_db.takes_a_write()


@pytest.mark.usefixtures("standing_watch")
def test_what_asynchronous_replication_loses_is_counted_to_the_last_write(
    recover: Recover, orders_db: OrdersDb, fault_table: FaultTable
) -> None:
    case = Case(
        fault="primary-killed",
        beside=("replication-cut",),
        ailment=Ailment.REFUSED,
        decision=FAIL_OVER,
    )
    old = orders_db.primary
    for member in MEMBERS:
        orders_db.configure(member, "synchronous_standby_names", "")
    try:
        with failovers.broken(recover, *case.beside):
            assert orders_db.takes_a_write()
            with failovers.broken(recover, case.fault):
                seen = _await_diagnosis(recover, old, case)
                run = failovers.start(recover)
                failovers.agree(run)
                failovers.waive(
                    *(run, "database-failover-no-return", "nothing-acknowledged-is-lost"),
                    *("lin", "barbara"),
                )
                run.await_event(StepFinished, lambda done: done.step == "drop-dead-connections")
                failovers.heal(recover)
                told = run.attach()
    finally:
        for member in MEMBERS:
            orders_db.reset(member, "synchronous_standby_names")
    report = run.report()
    fault_table.add(failovers.row_of(case, seen, report, report["headline"]))
    truth = failovers.lost_writes(run, orders_db)

    assert told.returncode == ExitCode.HANDS_NEEDED, told.stdout + told.stderr
    assert len(truth) > 0
    assert failovers.reported_losses(report) == len(truth)
    assert failovers.writable_members(orders_db) == [orders_db.primary]


def _await_diagnosis(recover: Recover, primary: str, case: Case) -> failovers.Seen:
    """Ask until the answer is the right one; what a standby heard before counts ten seconds."""

    def look() -> list[failovers.Seen]:
        seen = failovers.diagnose(recover, primary)
        is_right = (seen.ailment, seen.decision) == (case.ailment, case.decision)
        return [seen] if is_right else []

    [seen] = wait_until(look, f"{case}: {case.ailment}, {case.decision}")
    return seen
