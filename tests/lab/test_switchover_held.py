"""A step that fails behind the point of no return: the run holds, and says what to do."""

from __future__ import annotations

import pytest

from orchestrator.domain.run import GateWaits, RunEnded, RunHeld, StepFinished
from tests.support.faults.behind import old_primary_may_not_start, pooler_gets_no_signal
from tests.support.orders_db import OrdersDb
from tests.support.recover_command import (
    ALLOWED_DOWNTIME,
    PLAYBOOK_FILE,
    Recover,
    edit_content,
)

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("full_lab")]


def test_run_whose_pooler_did_not_turn_is_held_until_it_is_mended_and_then_verified(
    orders_db: OrdersDb, recover: Recover
) -> None:
    target = orders_db.target
    edit_content(recover.content, PLAYBOOK_FILE, f"downtime: {ALLOWED_DOWNTIME}", "downtime: 5m")
    run = recover.start()
    run.await_event(GateWaits)

    with pooler_gets_no_signal(orders_db) as is_there:
        run.sign()
        told = run.attach()
        assert is_there()

        [held] = run.all_of(RunHeld)
        assert told.returncode == 5, told.stdout
        assert run.all_of(StepFinished)[-1].step == "turn-pooler-to-target"
        assert held.owner == "ada"
        assert "Write the target's address into the pooler's database file" in held.next_action
        assert held.next_action in " ".join(told.stdout.split())
        assert run.row()["state"] == "held"
        assert run.undone_steps() == []
        _assert_locked_by_ada(recover)

    told = recover("retry", run.name, "turn-pooler-to-target", "--as", "ada", "--reason", "mended")
    assert told.returncode == 0, told.stderr
    told = run.attach()

    report = run.report()
    assert told.returncode == 0, told.stdout
    assert report["verdict"] == "passed"
    assert {"hold", "retry"} <= {deviation["kind"] for deviation in report["deviations"]}
    assert report["writes"]["lost"] == 0
    assert orders_db.primary == target
    assert recover.journal().locks() == []


def test_held_run_that_is_aborted_ends_where_it_stands_and_gives_its_lock_back(
    orders_db: OrdersDb, recover: Recover
) -> None:
    old_primary, target = orders_db.primary, orders_db.target
    run = recover.start()
    run.await_event(GateWaits)

    with old_primary_may_not_start(orders_db) as is_there:
        run.sign()
        told = run.attach()
        assert is_there()

        assert told.returncode == 5, told.stdout
        assert run.begun_steps()[-1] == "reattach-old-primary"
        assert orders_db.takes_a_write(), "users are served by the new primary"
        _assert_locked_by_ada(recover)

        aborted = recover("abort", run.name, "--as", "grace", "--reason", "by hand is quicker")
        assert aborted.returncode == 0, aborted.stderr

        assert run.attach().returncode == 7
        [ended] = run.all_of(RunEnded)
        assert ended.exit_code == 7
        assert run.report()["writes"]["lost"] == 0, "its canary was read"
        assert run.undone_steps() == []
        assert run.row()["state"] == "ended"
        assert recover.journal().locks() == []

    assert orders_db.primary == target
    assert orders_db.streams_from(old_primary) == orders_db.lab.host(target).address


def _assert_locked_by_ada(recover: Recover) -> None:
    refused = recover.switch_over()

    assert refused.returncode == 3
    assert "orders-db is locked by ada with run" in refused.stderr
    assert len(recover.runs()) == 1
