"""Unplanned failovers in the lab: the fault, the run, and what the journal cannot flatter."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from orchestrator.adapters.canary.samples import read_samples
from orchestrator.bootstrap.runs import folder_of
from orchestrator.domain.diagnosis import Ailment, Decision
from orchestrator.domain.observation import MarkerWrite, WriteOutcome
from orchestrator.domain.run import GateWaits
from tests.support.lab import wait_until
from tests.support.orders_db import MEMBERS, OrdersDb
from tests.support.recover_command import Recover, Run, edit_content

FAILOVER = "database-failover"
FAILOVER_FILE = f"playbooks/{FAILOVER}/playbook.yaml"
OWNER = "grace"
STANDING = "standing"
ANSWER_WITHIN_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something broken, and what has to come of it.

    Attributes:
        beside: Broken first, so that the fault meets a service that is not whole.
        ailment: What the diagnosis has to call it.
    """

    fault: str
    ailment: Ailment
    decision: Decision
    beside: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " + ".join((*self.beside, self.fault))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the diagnosis said, and how long it took in seconds."""

    ailment: Ailment
    decision: Decision
    took_s: float


def allow_time(recover: Recover) -> None:
    """Let users wait longer than they should: on a loaded machine that is no finding."""
    edit_content(recover.content, FAILOVER_FILE, "back_within: 3s", "back_within: 10s")


@contextmanager
def watched(recover: Recover) -> Iterator[None]:
    """Have somebody watch from before the fault, who has seen some writes."""
    began = recover("watch", "start")
    assert began.returncode == 0, began.stderr
    wait_until(lambda: recover("watch", "status").returncode == 0, "a standing watch at work")
    try:
        yield
    finally:
        recover("watch", "stop")


@contextmanager
def broken(recover: Recover, *faults: str) -> Iterator[None]:
    """Break the lab, which looks for itself whether it is broken, and heal it."""
    try:
        for fault in faults:
            made = recover("lab", "break", fault)
            assert made.returncode == 0, made.stderr
            assert made.stdout.strip().endswith("seen")
        yield
    finally:
        heal(recover)


def heal(recover: Recover) -> None:
    """Heal whatever is broken."""
    healed = recover("lab", "heal")
    assert healed.returncode == 0, healed.stderr


def diagnose(recover: Recover, primary: str) -> Seen:
    """Ask what ails the primary, once."""
    began = time.monotonic()
    told = recover("diagnose", "-o", "json")
    took_s = time.monotonic() - began
    answer = json.loads(told.stdout)
    assert answer["examination"]["primary"] == f"orders-db/{primary}"
    words = answer["diagnosis"]
    return Seen(
        ailment=Ailment(words["ailment"]), decision=Decision(words["decision"]), took_s=took_s
    )


def start(recover: Recover, *options: str) -> Run:
    """Trigger a failover and leave it to itself."""
    told = recover(
        *("run", FAILOVER, "--as", "ada", "--confirm", "orders-db", "--detach"), *options
    )
    assert told.returncode == 0, told.stderr
    return recover.run(told.stdout.strip())


def agree(run: Run) -> None:
    """Let the owner of the database say yes."""
    told = run.recover(
        *("sign", run.name, "--as", OWNER, "--comment", "a test", "--wait", str(ANSWER_WITHIN_S))
    )
    assert told.returncode == 0, told.stderr


def waive(run: Run, gate: str, item: str, *people: str) -> None:
    """Let *people* accept what *item* of *gate* found, once it has been asked."""
    run.await_event(GateWaits, lambda waits: waits.gate == gate)
    for name in people:
        told = run.recover("waive", run.name, item, "--as", name, "--reason", "a test")
        assert told.returncode == 0, told.stderr


def writable_members(db: OrdersDb) -> list[str]:
    """Return the members that are no standby; each has to answer."""
    return [member for member in MEMBERS if not db.says(member, "select pg_is_in_recovery()")]


def writable_members_heard(db: OrdersDb) -> list[str]:
    """Return the members that answer and are no standby."""

    def is_writable(member: str) -> bool:
        try:
            return not db.says(member, "select pg_is_in_recovery()")
        except psycopg.OperationalError:
            return False

    return [member for member in MEMBERS if is_writable(member)]


def lost_writes(run: Run, db: OrdersDb) -> set[tuple[str, int]]:
    """Count by hand: what was acknowledged to anybody who watched, less what is there."""
    folder = folder_of(run.recover.settings, run.name)
    files = {run.name: folder.samples, STANDING: folder.standing_samples}
    acknowledged = {
        (name, sample.seq)
        for name, file in files.items()
        if file.exists()
        for sample in read_samples(file.read_bytes().splitlines())
        if isinstance(sample, MarkerWrite) and sample.outcome is WriteOutcome.ACKNOWLEDGED
    }
    found = db.ask(
        db.primary, "select run, seq from recover_marker where run = any (%s)", list(files)
    )
    return acknowledged - {(str(name), int(str(seq))) for name, seq in found}


def reported_losses(report: Mapping[str, Any]) -> int:
    """Return how many writes the report calls lost."""
    return int(report["writes"]["lost"])


def row_of(case: Case, seen: Seen, report: Mapping[str, Any], end: str) -> Sequence[str]:
    """Return what a table says of one case."""
    return (
        str(case),
        f"{seen.ailment} in {seen.took_s:.1f} s",
        str(case.decision),
        _back(report),
        str(report["writes"]["lost"]),
        end,
    )


def _back(report: Mapping[str, Any]) -> str:
    back_s = report["downtime"].get("back_after_s")
    return "" if back_s is None else f"{back_s:.2f} s"
