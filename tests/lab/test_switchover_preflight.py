"""Whatever the preflight checklist asks: the lab broken there stops the run before any change."""

from __future__ import annotations

import pytest

from tests.support.faults import entry, primary, target
from tests.support.faults.fault import Fault
from tests.support.orders_db import OrdersDb
from tests.support.recover_command import PREFLIGHT_FILE, Recover, edit_content

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("full_lab")]

# What is broken stays broken: no test needs the patience that people have with a busy system.
HASTE = {
    "patience: 10s": "patience: 3s",
    "patience: 5s": "patience: 3s",
    "at_most: 10}": "at_most: 2}",
}


@pytest.mark.parametrize(
    ("fault", "item", "options"),
    [
        pytest.param(target.replay_is_paused, "target-replays", (), id="replay is paused"),
        pytest.param(target.replay_is_delayed, "target-replays", (), id="replay is delayed"),
        pytest.param(
            target.target_does_not_stream, "target-streams", (), id="the target does not stream"
        ),
        pytest.param(
            target.target_is_asynchronous, "target-streams", (), id="the target is asynchronous"
        ),
        pytest.param(target.target_lags, "target-streams", (), id="the target lags"),
        pytest.param(
            target.primary_is_silent_to_target,
            "target-hears-primary",
            (),
            id="the target hears nothing and says that it streams",
        ),
        pytest.param(
            primary.the_primary_has_higher_limits,
            "target-limits",
            (),
            id="the target allows fewer connections",
        ),
        pytest.param(
            target.target_lacks_an_extension,
            "target-extensions",
            (),
            id="an extension is missing on the target",
        ),
        pytest.param(
            target.collation_differs, "same-collations", (), id="data were sorted otherwise"
        ),
        pytest.param(
            target.target_cannot_be_rewound, "rewind-possible", (), id="no checksums and no hints"
        ),
        pytest.param(
            target.target_s_disk_is_nearly_full, "target-disk", (), id="the disk is nearly full"
        ),
        pytest.param(
            primary.a_stranger_is_among_the_members,
            "one-cluster",
            (),
            id="one member is of another cluster",
        ),
        pytest.param(
            primary.a_transaction_is_prepared,
            "no-prepared-transactions",
            (),
            id="a transaction is prepared",
        ),
        pytest.param(
            primary.a_transaction_is_old,
            "no-long-transactions",
            ("--set", "longest_transaction_s=1"),
            id="a transaction is old",
        ),
        pytest.param(primary.a_base_backup_runs, "no-base-backup", (), id="a base backup runs"),
        pytest.param(
            entry.pooler_takes_another_way,
            "pooler-serves-primary",
            (),
            id="the pooler has another address",
        ),
        pytest.param(
            entry.pooler_is_paused, "pooler-serves-primary", (), id="the pooler is paused"
        ),
        pytest.param(
            entry.canary_may_not_write, "users-can-write", (), id="the canary may not write"
        ),
        pytest.param(
            entry.one_application_server_is_down,
            "users-can-order",
            (),
            id="one application server is down",
        ),
    ],
)
def test_run_is_refused_while(
    fault: Fault, item: str, options: tuple[str, ...], orders_db: OrdersDb, recover: Recover
) -> None:
    before = orders_db.primary
    for old, new in HASTE.items():
        edit_content(recover.content, PREFLIGHT_FILE, old, new)
    with fault(orders_db) as is_there:
        chosen = ("--set", f"target={orders_db.target}")

        told = recover.switch_over(*chosen, *options)

        assert is_there(), "the fault had gone before the run ended"
        assert orders_db.primary == before

    [run] = recover.runs()
    assert told.returncode == 3, told.stdout + told.stderr
    assert item in run.obstacles()
    assert item in told.stdout
    assert run.begun_steps() == []
    assert orders_db.primary == before
    assert orders_db.takes_a_write()
    assert recover.journal().locks() == []
