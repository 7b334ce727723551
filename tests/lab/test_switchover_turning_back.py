"""A step or a gate that fails before the point of no return: everything is as it was."""

from __future__ import annotations

import pytest
from psycopg.pq import TransactionStatus

from orchestrator.domain.run import GateRefused, GateWaits, PriorStateChecked, StepFinished
from orchestrator.domain.verdict import Verdict
from tests.support.faults.target import replay_is_frozen
from tests.support.orders_db import POOLER, OrdersDb
from tests.support.recover_command import Recover, Run

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("full_lab")]

UNDONE = [
    "hold-client-traffic",
    "stage-pooler-target",
    "aim-old-primary",
    "lead-bystanders-to-target",
    "prepare-slots-on-target",
]


def test_transaction_that_holds_up_the_pause_is_spared_and_all_is_taken_back(
    orders_db: OrdersDb, recover: Recover
) -> None:
    before = orders_db.primary
    run = recover.start()
    run.await_event(GateWaits)

    with orders_db.lab.connect(POOLER, user="shop", pooled=True) as client:
        client.execute("begin")
        client.execute("select 1")
        run.sign()
        told = run.attach()
        assert client.info.transaction_status == TransactionStatus.INTRANS
        assert client.execute("select 2").fetchone() == (2,)
        client.execute("commit")

    failed = run.all_of(StepFinished)[-1]
    assert told.returncode == 4, told.stdout
    assert (failed.step, failed.outcome) == ("hold-client-traffic", "failed")
    assert run.undone_steps() == UNDONE
    assert run.report()["errors"] == []
    _assert_as_before(run, orders_db, before)


def test_target_that_lacks_records_is_not_promoted_and_the_old_primary_returns(
    orders_db: OrdersDb, recover: Recover
) -> None:
    before = orders_db.primary
    run = recover.start()
    run.await_event(GateWaits)

    with replay_is_frozen(orders_db) as is_there:
        run.sign()
        run.await_event(GateRefused)
        assert is_there()
    told = run.attach()

    assert told.returncode == 4, told.stdout
    assert "target-has-everything" in run.obstacles()
    assert run.begun_steps()[-1] == "stop-old-primary"
    assert run.undone_steps() == ["stop-old-primary", *UNDONE]
    _assert_as_before(run, orders_db, before)


def _assert_as_before(run: Run, db: OrdersDb, primary: str) -> None:
    """Look for ourselves: the same primary, streams, slots and pooler, and no write failed."""
    address = db.lab.host(primary).address
    report = run.report()

    assert [checked.evidence.verdict for checked in run.all_of(PriorStateChecked)] == [
        Verdict.PASSED
    ]
    assert report["verdict"] == "failed"
    assert db.primary == primary
    assert db.takes_a_write()
    assert db.pooler_row() == (address, 0)
    assert db.staged_files() == ""
    assert [db.streams_from(standby) for standby in (db.target, db.bystander)] == [address] * 2
    aims = "select count(*) from pg_file_settings where name = 'primary_conninfo'"
    assert db.ask(primary, aims) == [(0,)]
    assert db.complaints() == ()
    assert report["writes"]["acknowledged"] > 0
    assert (report["writes"]["lost"], report["writes"]["failed"]) == (0, 0)
    assert run.recover.journal().locks() == []
