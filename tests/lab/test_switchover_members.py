"""Members that are not what a planned switchover needs: none moves, whenever it is noticed."""

from __future__ import annotations

import pytest

from tests.support.faults import primary
from tests.support.orders_db import OrdersDb
from tests.support.recover_command import PREFLIGHT_FILE, Recover, edit_content

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("full_lab")]

MAJOR = "current_setting('server_version_num')::int / 10000"


def test_second_writable_member_is_noticed_before_the_plan_and_behind_it(
    orders_db: OrdersDb, recover: Recover
) -> None:
    before = orders_db.primary
    made_in_peace = recover.plan()
    with primary.two_members_take_writes(orders_db) as is_there:
        told = recover.switch_over()
        assert told.returncode == 3, told.stdout
        assert "not exactly one primary" in told.stderr
        assert f"{before}: takes writes" in told.stderr
        assert recover.runs() == []

        run = recover.start_late(*made_in_peace)
        assert run.attach().returncode == 3
        assert is_there()

    assert "one-primary" in run.obstacles()
    assert run.begun_steps() == []
    assert orders_db.primary == before
    assert orders_db.takes_a_write()


def test_primary_that_hangs_is_not_taken_for_one_that_can_be_moved(
    orders_db: OrdersDb, recover: Recover
) -> None:
    before = orders_db.primary
    with primary.the_primary_hangs(orders_db) as is_there:
        told = recover.switch_over()
        assert is_there()

    assert told.returncode == 3, told.stdout
    assert f"{before}: does not answer" in told.stderr
    assert recover.runs() == []
    assert orders_db.primary == before


def test_target_of_another_major_version_is_refused(orders_db: OrdersDb, recover: Recover) -> None:
    """No standby of another version can stream, so the query tells a lie about the primary."""
    before = orders_db.primary
    lie = f"{MAJOR} + (current_setting('cluster_name') = '{before}')::int"
    edit_content(recover.content, PREFLIGHT_FILE, MAJOR, lie)
    assert orders_db.ask(before, f"select {lie}") != orders_db.ask(
        orders_db.target, f"select {lie}"
    )

    told = recover.switch_over()

    [run] = recover.runs()
    assert told.returncode == 3, told.stdout
    assert set(run.obstacles()) >= {"same-version"}
    assert run.begun_steps() == []
    assert orders_db.primary == before
