"""Whatever the preflight checklist asks: the lab broken there stops the run before any change."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import pytest
import yaml

from tests.support.faults import entry, primary, target
from tests.support.faults.fault import Fault
from tests.support.lab import REPOSITORY
from tests.support.orders_db import OrdersDb
from tests.support.recover_command import PREFLIGHT_FILE, Recover, edit_content

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("full_lab")]

# What is broken stays broken: no test needs the patience that people have with a busy system.
HASTE = {
    "patience: 10s": "patience: 3s",
    "patience: 5s": "patience: 3s",
    "at_most: 10}": "at_most: 2}",
}

FAULTS: Mapping[Fault, str] = {
    target.replay_is_paused: "target-replays",
    target.replay_is_delayed: "target-replays",
    target.target_does_not_stream: "target-streams",
    target.target_is_asynchronous: "target-streams",
    target.target_lags: "target-streams",
    target.target_says_it_streams_and_hears_nothing: "target-hears-primary",
    target.target_lacks_an_extension: "target-extensions",
    target.collation_differs: "same-collations",
    target.target_cannot_be_rewound: "rewind-possible",
    target.target_s_disk_is_nearly_full: "target-disk",
    primary.the_primary_has_higher_limits: "target-limits",
    primary.a_stranger_is_among_the_members: "one-cluster",
    primary.a_transaction_is_prepared: "no-prepared-transactions",
    primary.a_transaction_is_old: "no-long-transactions",
    primary.a_base_backup_runs: "no-base-backup",
    entry.pooler_takes_another_way: "pooler-serves-primary",
    entry.pooler_is_paused: "pooler-serves-primary",
    entry.canary_may_not_write: "users-can-write",
    entry.one_application_server_is_down: "users-can-order",
}
# Faults that leave each other alone are looked at by one run; the first is healed last.
TOGETHER: Mapping[str, tuple[Fault, ...]] = {
    "the members are busy or strange": (
        primary.a_stranger_is_among_the_members,
        primary.a_transaction_is_prepared,
        primary.a_transaction_is_old,
        primary.a_base_backup_runs,
        entry.pooler_takes_another_way,
    ),
    "the target has other files, is asynchronous and paused": (
        target.target_lacks_an_extension,
        target.collation_differs,
        target.target_cannot_be_rewound,
        target.target_is_asynchronous,
        target.replay_is_paused,
    ),
    "the target is delayed and hears nothing": (
        target.replay_is_delayed,
        target.target_says_it_streams_and_hears_nothing,
    ),
    "the target is full and does not stream": (
        target.target_s_disk_is_nearly_full,
        target.target_does_not_stream,
    ),
    "the target lags and users fail": (
        entry.one_application_server_is_down,
        entry.canary_may_not_write,
        target.target_lags,
    ),
    "the target allows less and the pooler is paused": (
        primary.the_primary_has_higher_limits,
        entry.pooler_is_paused,
    ),
}
CASES_ELSEWHERE = {
    "test_switchover": {"no-recent-recovery", "timeline-known"},
    "test_switchover_members": {"one-primary", "same-version"},
    "test_switchover_people": {
        "changes-frozen",
        "backup-restorable",
        "go-ahead",
        "no-logical-slots",
        "no-unlogged-tables",
        "archiver-works",
    },
}


@pytest.mark.parametrize("together", TOGETHER)
def test_run_is_refused_while(together: str, orders_db: OrdersDb, recover: Recover) -> None:
    faults = TOGETHER[together]
    before = orders_db.primary
    for old, new in HASTE.items():
        edit_content(recover.content, PREFLIGHT_FILE, old, new)
    with ExitStack() as broken:
        looks = {fault: broken.enter_context(fault(orders_db)) for fault in faults}
        chosen = ("--set", f"target={orders_db.target}", "--set", "longest_transaction_s=1")

        told = recover.switch_over(*chosen)

        for fault, is_there in looks.items():
            assert is_there(), f"{fault} had gone before the run ended"
        assert orders_db.primary == before

    [run] = recover.runs()
    assert told.returncode == 3, told.stdout + told.stderr
    for fault in faults:
        assert FAULTS[fault] in run.obstacles()
        assert FAULTS[fault] in told.stdout
    assert run.begun_steps() == []
    assert orders_db.primary == before
    assert orders_db.takes_a_write()
    assert recover.journal().locks() == []


def test_every_fault_is_tried() -> None:
    tried = [fault for faults in TOGETHER.values() for fault in faults]

    assert len(tried) == len(set(tried))
    assert set(tried) == set(FAULTS)


def test_every_item_has_a_case_in_which_it_stops_a_run() -> None:
    checklist = yaml.safe_load((REPOSITORY / PREFLIGHT_FILE).read_text(encoding="utf-8"))

    asked = {question["item"] for question in checklist["items"]}

    assert asked == set(FAULTS.values()).union(*CASES_ELSEWHERE.values())
