from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.domain.run import RunId
from tests.interfaces.conftest import Recover
from tests.support.clocks import StoppedClock
from tests.support.kept_runs import keep_run
from tests.support.switchovers import held, rolled_back, verified, waiting


def test_no_run_yet_is_said(recover: Recover) -> None:
    assert recover("runs").out == "no run yet\n"
    assert json.loads(recover("runs", "-o", "json").out) == []
    assert recover("runs", "-o", "jsonl").out == ""


def test_runs_are_listed_newest_first_with_how_they_ended(recover: Recover, state: Path) -> None:
    keep_run(state, verified(), "r-1")
    keep_run(state, rolled_back(), "r-3")
    keep_run(state, held(), "r-2")

    rows = json.loads(recover("runs", "-o", "json").out)

    assert [row["run"] for row in rows] == ["r-3", "r-2", "r-1"]
    assert [row["state"] for row in rows] == ["ended", "held", "ended"]
    assert [row["verdict"] for row in rows] == ["failed", None, "passed"]
    assert [row["exit_code"] for row in rows] == [4, None, 0]
    assert rows[2] == {
        "run": "r-1",
        "playbook": "database-switchover",
        "environment": "lab",
        "mode": "live",
        "requester": "ada",
        "created": "2026-01-02T12:00:00+00:00",
        "state": "ended",
        "verdict": "passed",
        "exit_code": 0,
    }


def test_json_lines_say_the_same_as_json(recover: Recover, state: Path) -> None:
    keep_run(state, verified(), "r-1")
    keep_run(state, held(), "r-2")

    lines = recover("runs", "-o", "jsonl").out.splitlines()

    assert [json.loads(line) for line in lines] == json.loads(recover("runs", "-o", "json").out)


def test_the_table_fits_the_terminal_with_names_as_long_as_ours(
    recover: Recover, state: Path
) -> None:
    keep_run(state, verified(), "20260102-120000-1a2b")

    head, row = recover("runs").out.splitlines()

    assert head.split() == ["RUN", "STARTED", "PLAYBOOK", "WHERE", "BY", "STATE"]
    assert row.split()[0] == "20260102-120000-1a2b"
    assert row.endswith("✓ passed")
    assert max(len(head), len(row)) <= 80


def test_a_run_whose_driver_died_is_an_orphan(recover: Recover, state: Path) -> None:
    keep_run(state, waiting())

    assert json.loads(recover("runs", "-o", "json").out)[0]["state"] == "orphaned"


def test_a_run_that_cannot_be_read_does_not_hide_the_others(recover: Recover, state: Path) -> None:
    keep_run(state, verified(), "r-1")
    keep_run(state, verified(), "r-2")
    with sqlite3.connect(state / "journal.sqlite3") as journal:
        journal.execute("update entry set event = '{' where run = 'r-2' and seq = 3")

    rows = json.loads(recover("runs", "-o", "json").out)

    assert [(row["run"], row["state"]) for row in rows] == [
        ("r-2", "unreadable"),
        ("r-1", "ended"),
    ]


def test_locks_name_their_holder(recover: Recover, state: Path) -> None:
    assert recover("locks").out == "nothing is locked\n"
    journal = SqliteJournal(state / "journal.sqlite3", StoppedClock())
    journal.take(["service/orders-db"], run=RunId("r-1"), holder="ada")

    head, row = recover("locks").out.splitlines()

    assert head.split() == ["RESOURCE", "RUN", "HELD", "BY", "SINCE"]
    assert row.split()[:3] == ["service/orders-db", "r-1", "ada"]
    assert json.loads(recover("locks", "-o", "json").out) == [
        {
            "resource": "service/orders-db",
            "run": "r-1",
            "holder": "ada",
            "since": "2026-03-01T12:00:00+00:00",
        }
    ]
