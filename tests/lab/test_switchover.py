"""A planned switchover in the lab, there and back, as people start, sign, follow and report it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from orchestrator.adapters.journal_sqlite import GENESIS, link_of
from orchestrator.domain.plan import Plan
from orchestrator.domain.run import (
    GateOpened,
    ItemSigned,
    StepFinished,
    StepIntended,
    WatchStarted,
)
from tests.support.lab import REPOSITORY, Lab, wait_until
from tests.support.orders_db import OrdersDb
from tests.support.recover_command import SIGNERS, Recover, Run, recover_in

pytestmark = pytest.mark.lab

SCHEMA = REPOSITORY / "docs" / "schemas" / "report.schema.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A run that ended, what following it told, and who was what before."""

    run: Run
    told: subprocess.CompletedProcess[str]
    old_primary: str
    new_primary: str
    made_before: tuple[Plan, Mapping[str, bytes]]


@pytest.fixture(scope="module")
def recover(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Recover:
    return recover_in(tmp_path_factory.mktemp("switchover"), lab)


@pytest.fixture(scope="module")
def moved(lab: Lab, recover: Recover) -> Moved:
    """One switchover, signed by two people who wait for their question."""
    db = OrdersDb(lab=lab)
    db.await_well()
    old_primary, target = db.primary, db.target
    made_before = recover.plan()
    run = recover.start("--reason", "a test")
    for name in SIGNERS:
        signed = recover("sign", run.name, "--as", name, "--comment", "in a test", "--wait", "60")
        assert signed.returncode == 0, signed.stderr
    return Moved(
        run=run,
        told=run.attach(),
        old_primary=old_primary,
        new_primary=target,
        made_before=made_before,
    )


def test_switchover_is_verified_and_users_lose_nothing(moved: Moved) -> None:
    report = moved.run.report()

    assert moved.told.returncode == 0, moved.told.stdout + moved.told.stderr
    assert (report["verdict"], report["exit_code"]) == ("passed", 0)
    assert report["verification"]["verdict"] == "passed"
    assert report["writes"]["acknowledged"] > 0
    assert report["writes"] | {"acknowledged": 0} == dict.fromkeys(report["writes"], 0)
    assert report["errors"] == []
    assert report["deviations"] == []
    assert report["downtime"]["longest_gap_ms"] > 0


def test_old_primary_is_a_standby_of_the_new_one(moved: Moved, orders_db: OrdersDb) -> None:
    assert moved.new_primary == orders_db.primary
    new_address = orders_db.lab.host(moved.new_primary).address
    assert orders_db.streams_from(moved.old_primary) == new_address
    assert orders_db.pooler_row() == (new_address, 0)
    assert orders_db.takes_a_write()


def test_users_were_watched_before_the_gate_opened_and_it_opened_before_any_step(
    moved: Moved,
) -> None:
    kinds = [type(entry.event) for entry in moved.run.entries()]

    assert kinds.index(WatchStarted) < kinds.index(GateOpened) < kinds.index(StepIntended)
    steps = [step.name for step in moved.made_before[0].actions]
    assert moved.run.begun_steps() == steps
    assert [event.step for event in moved.run.all_of(StepFinished)] == steps
    assert {event.sign_off.by for event in moved.run.all_of(ItemSigned)} == set(SIGNERS)


def test_journal_is_a_chain_whose_head_the_report_bears(moved: Moved, recover: Recover) -> None:
    query = "select seq, link, at, kind, event from entry where run = ? order by seq"
    with sqlite3.connect(recover.settings.journal) as journal:
        rows = journal.execute(query, (moved.run.name,)).fetchall()
    journal.close()

    previous = GENESIS
    for number, (seq, link, at, kind, event) in enumerate(rows, start=1):
        assert seq == number
        assert link == link_of(previous, moved.run.name, seq, at, kind, event)
        previous = link
    assert moved.run.report()["chain_head"] == previous


def test_report_keeps_to_its_published_schema(moved: Moved) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))

    Draft202012Validator(schema, format_checker=FormatChecker()).validate(moved.run.report())


def test_report_is_rendered_again_in_every_format(
    moved: Moved, recover: Recover, tmp_path: Path
) -> None:
    files = {form: tmp_path / form for form in ("html", "json", "junit")}

    for form, file in files.items():
        told = recover("report", moved.run.name, "--format", form, "-o", str(file))
        assert told.returncode == 0, told.stderr

    at_its_end = recover.state / "runs" / moved.run.name / "report.html"
    assert files["html"].read_text("utf-8") == at_its_end.read_text("utf-8")
    assert json.loads(files["json"].read_text("utf-8"))["run"] == moved.run.name
    suites = ElementTree.fromstring(files["junit"].read_text("utf-8"))  # noqa: S314 - our own
    assert suites.tag == "testsuites"
    assert {suite.get("failures") for suite in suites} == {"0"}


def test_run_is_replayed_from_its_start_to_whoever_attaches_later(moved: Moved) -> None:
    again = moved.run.attach()

    assert again.returncode == 0
    assert again.stdout == moved.told.stdout
    for step in moved.run.begun_steps():
        assert f"▸ {step}" in again.stdout


def test_second_recovery_so_soon_is_refused(moved: Moved, recover: Recover) -> None:
    told = recover.switch_over()

    [refused, _] = recover.runs()
    assert told.returncode == 3
    assert moved.run.name in refused.obstacles()["no-recent-recovery"]
    assert refused.begun_steps() == []


def test_plan_of_before_is_refused_in_the_world_of_after(
    moved: Moved, recover: Recover, orders_db: OrdersDb
) -> None:
    run = recover.start_late(*moved.made_before)

    assert run.attach().returncode == 3
    assert {"timeline-known", "target-streams", "pooler-serves-primary"} <= set(run.obstacles())
    assert run.begun_steps() == []
    assert orders_db.primary == moved.new_primary


def test_second_run_swaps_the_roles_back(
    moved: Moved, recover: Recover, orders_db: OrdersDb
) -> None:
    run = recover.start("--set", "quiet_for=0s")
    run.sign()
    told = run.attach()

    report = run.report()
    assert told.returncode == 0, told.stdout
    assert report["verdict"] == "passed"
    assert report["writes"]["lost"] == 0
    assert [deviation["kind"] for deviation in report["deviations"]] == ["parameter"]
    assert orders_db.primary == moved.old_primary
    wait_until(lambda: orders_db.streams_from(moved.new_primary), "the other one streams")
