"""An unplanned failover in the lab, and what keeps it from happening: the part that CI runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.domain.run import ExitCode, GateWaits, RunHeld, StepFinished
from tests.support import failovers
from tests.support.lab import Lab
from tests.support.orders_db import OrdersDb
from tests.support.recover_command import Recover, Run, edit_content, recover_in

pytestmark = pytest.mark.lab

PREFLIGHT = "database-failover-preflight"
PREFLIGHT_FILE = f"checklists/{PREFLIGHT}.yaml"
REPROTECT = "database-reprotect"
REPROTECT_FILE = f"checklists/{REPROTECT}-preflight.yaml"
FENCE_STEP = "fence-old-primary"
UNPROVEN = "database-fence-unproven"
ENVIRONMENT_FILE = "environments/lab/environment.yaml"
POLICY_FILE = "environments/lab/policy.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """A failover that went through, and who was the primary before."""

    run: Run
    old: str


@pytest.fixture(scope="module")
def recover(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Recover:
    return _in_a_hurry(tmp_path_factory.mktemp("failover"), lab)


@pytest.fixture(scope="module")
def taken_over(lab: Lab, recover: Recover) -> Iterator[TakenOver]:
    """The primary was killed while somebody watched, and was replaced."""
    db = OrdersDb(lab=lab)
    db.await_well()
    old = db.primary
    with failovers.watched(recover), failovers.broken(recover, "primary-killed"):
        run = failovers.start(recover)
        failovers.agree(run)
        told = run.attach()
        assert told.returncode == 0, told.stdout + told.stderr
        yield TakenOver(run=run, old=old)


def test_failover_is_verified_and_loses_nothing(taken_over: TakenOver, lab: Lab) -> None:
    db, report = OrdersDb(lab=lab), taken_over.run.report()

    assert failovers.writable_members(db) == [db.primary]
    assert db.primary != taken_over.old
    assert db.streams_from(taken_over.old) == db.lab.host(db.primary).address
    assert failovers.lost_writes(taken_over.run, db) == set()
    assert failovers.reported_losses(report) == 0
    assert report["writes"]["acknowledged"] > 0
    assert report["verification"]["verdict"] == "passed"


def test_report_tells_when_the_outage_began_and_how_long_one_standby_was_missing(
    taken_over: TakenOver,
) -> None:
    report = taken_over.run.report()

    assert report["downtime"]["before_run_s"] > 0
    assert report["downtime"]["back_after_s"] > 0
    assert report["unprotected"] is not None


def test_fence_is_proved_from_two_places_before_the_promotion(taken_over: TakenOver) -> None:
    finished = {str(event.step): event for event in taken_over.run.all_of(StepFinished)}
    order = taken_over.run.begun_steps()
    proof = finished[FENCE_STEP].evidence.summary

    assert order.index(FENCE_STEP) < order.index("promote-target")
    assert "is closed" in proof
    assert proof.count("write") >= 2


def test_second_recovery_within_the_hour_waits_for_a_person_and_names_the_first(
    taken_over: TakenOver, recover: Recover
) -> None:
    again = failovers.start(recover)
    again.attach()

    assert taken_over.run.name in again.obstacles()["no-recent-recovery"]
    assert again.begun_steps() == []


@pytest.mark.usefixtures("full_lab")
def test_former_primary_is_brought_back_later_by_a_run_of_its_own(
    orders_db: OrdersDb, lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    later = _in_a_hurry(tmp_path_factory.mktemp("later"), lab)
    edit_content(later.content, REPROTECT_FILE, "rows: 1", "rows: 2")
    old = orders_db.primary
    with failovers.watched(later), failovers.broken(later, "primary-killed"):
        run = failovers.start(later)
        failovers.agree(run)
        assert run.attach().returncode == ExitCode.HANDS_NEEDED
        assert "primary-has-room" in run.obstacles()
        assert later("abort", run.name, "--as", "ada", "--reason", "later").returncode == 0
        assert run.attach().returncode == ExitCode.ABORTED
        assert f"{REPROTECT}/rejoin-stray" not in run.begun_steps()

        edit_content(later.content, REPROTECT_FILE, "rows: 2", "rows: 1")
        told = later("run", REPROTECT, "--as", "ada", "--confirm", "orders-db")

    assert told.returncode == 0, told.stdout + told.stderr
    assert orders_db.primary != old
    assert orders_db.streams_from(old) == lab.host(orders_db.primary).address


@pytest.mark.usefixtures("full_lab")
def test_primary_that_still_answers_is_left_alone(orders_db: OrdersDb, recover: Recover) -> None:
    old = orders_db.primary
    with failovers.broken(recover, "read-only"):
        run = failovers.start(recover)
        told = run.attach()

    assert told.returncode == ExitCode.REFUSED, told.stdout + told.stderr
    assert "Do not fail over: set that back" in run.obstacles()["primary-is-lost"]
    assert run.begun_steps() == []
    assert orders_db.primary == old
    assert orders_db.takes_a_write()


@pytest.mark.fault_suite
@pytest.mark.usefixtures("full_lab")
def test_run_holds_when_no_fence_can_be_proved(
    orders_db: OrdersDb, lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Without out-of-band control a host that nobody reaches cannot be shut off for sure."""
    bare = recover_in(tmp_path_factory.mktemp("unproven"), lab)
    _take_agents_away(bare)
    edit_content(bare.content, POLICY_FILE, "start:", "sign_off_within: 20s\nstart:")
    old = orders_db.primary
    with failovers.broken(bare, "host-black-holed"):
        run = failovers.start(bare)
        failovers.waive(run, PREFLIGHT, "fence-answers", failovers.OWNER)
        failovers.agree(run)
        run.await_event(GateWaits, lambda waits: waits.gate == UNPROVEN)
        told = run.attach()
        assert failovers.writable_members_heard(orders_db) == []
        assert bare("abort", run.name, "--as", "ada", "--reason", "a test").returncode == 0
        assert run.attach().returncode == ExitCode.ABORTED

    assert told.returncode not in (0, ExitCode.REFUSED), told.stdout
    [held] = run.all_of(RunHeld)
    assert "fence" in held.reason
    assert "promote-target" not in run.begun_steps()
    assert set(run.undone_steps()) == set(run.begun_steps()) - {FENCE_STEP}
    assert orders_db.primary == old


def _in_a_hurry(folder: Path, lab: Lab) -> Recover:
    """Who refuses connections is known to be gone at once, and who is not gone stays so."""
    made = recover_in(folder, lab)
    failovers.allow_time(made)
    edit_content(made.content, PREFLIGHT_FILE, "patience: 15s", "patience: 4s")
    return made


def _take_agents_away(recover: Recover) -> None:
    file = recover.content / ENVIRONMENT_FILE
    text = file.read_text(encoding="utf-8")
    start, end = text.index("      - fence: power"), text.index("  orders-pool:")
    file.write_text(text[:start] + text[end:], encoding="utf-8")
