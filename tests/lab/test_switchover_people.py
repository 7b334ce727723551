"""What people say at the gate of a switchover: no, nothing, not you, and yes in spite of it."""

from __future__ import annotations

import pytest

from orchestrator.domain.run import GateWaits
from tests.support.faults import soft
from tests.support.orders_db import OrdersDb
from tests.support.recover_command import Recover, edit_content

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("full_lab")]

PEOPLE = "environments/lab/people.yaml"
POLICY = "environments/lab/policy.yaml"


def test_only_who_is_asked_may_answer_and_one_no_ends_the_run_unchanged(
    orders_db: OrdersDb, recover: Recover
) -> None:
    before = orders_db.primary
    edit_content(recover.content, PEOPLE, "[database-owner]", "[database-owner, on-call]")
    run = recover.start(by="grace")
    run.await_event(GateWaits)

    refusals = {
        "the policy wants somebody else": ("changes-frozen", "--as", "grace"),
        "does not have the role": ("changes-frozen", "--as", "lin"),
        "is not among the people": ("changes-frozen", "--as", "mallory"),
        "is answered by a probe": ("target-streams", "--as", "lin"),
    }
    for reason, arguments in refusals.items():
        told = recover("sign", run.name, *arguments)
        assert (told.returncode, reason in told.stderr) == (3, True), told.stderr
    told = recover("sign", run.name, "go-ahead", "--as", "lin", "--no", "--comment", "on payday?")
    assert told.returncode == 0, told.stderr

    assert run.attach().returncode == 3
    assert "on payday?" in run.obstacles()["go-ahead"]
    assert run.begun_steps() == []
    assert orders_db.primary == before


def test_silence_is_never_a_yes(orders_db: OrdersDb, recover: Recover) -> None:
    before = orders_db.primary
    edit_content(recover.content, POLICY, "start: ", "sign_off_within: 6s\nstart: ")

    told = recover.switch_over()

    [run] = recover.runs()
    assert told.returncode == 8, told.stdout
    assert set(run.obstacles()) == {"changes-frozen", "backup-restorable", "go-ahead"}
    assert run.begun_steps() == []
    assert orders_db.primary == before


def test_soft_items_wait_for_a_waiver_that_the_report_shows(
    orders_db: OrdersDb, recover: Recover
) -> None:
    target = orders_db.target
    waived = {"no-unlogged-tables": "a cache", "archiver-works": "the archive is being mended"}
    with (
        soft.a_table_is_unlogged(orders_db) as is_unlogged,
        soft.the_archive_refuses(orders_db) as is_refused,
    ):
        run = recover.start()
        waits = run.await_event(GateWaits)
        assert is_unlogged()
        assert is_refused()
        assert {o.partition(":")[0] for o in waits.obstacles} > set(waived)
        run.sign()

        hard = recover("waive", run.name, "target-disk", "--as", "ken", "--reason", "why not")
        assert (hard.returncode, "is a hard item" in hard.stderr) == (3, True)
        bare = recover("waive", run.name, "archiver-works", "--as", "ken")
        assert (bare.returncode, "--reason" in bare.stderr) == (2, True)
        for item, reason in waived.items():
            told = recover("waive", run.name, item, "--as", "ken", "--reason", reason)
            assert told.returncode == 0, told.stderr
        told = run.attach()

    report = run.report()
    assert told.returncode == 0, told.stdout
    assert report["verdict"] == "degraded"
    waivers = [d["what"] for d in report["deviations"] if d["kind"] == "waiver"]
    assert len(waivers) == 2
    for item, reason in waived.items():
        assert any(item in w and "ken" in w and reason in w for w in waivers), waivers
    assert orders_db.primary == target


def test_run_that_waits_because_of_a_logical_slot_is_aborted_unchanged(
    orders_db: OrdersDb, recover: Recover
) -> None:
    before = orders_db.primary
    with soft.a_logical_slot_is_there(orders_db) as is_there:
        run = recover.start()
        waits = run.await_event(GateWaits)
        assert is_there()
        assert any(o.startswith("no-logical-slots:") for o in waits.obstacles)
        told = recover("abort", run.name, "--as", "ken", "--reason", "ask the subscribers first")
        assert told.returncode == 0, told.stderr

        assert run.attach().returncode == 7
        assert is_there()

    assert run.begun_steps() == []
    assert recover.journal().locks() == []
    assert orders_db.primary == before
