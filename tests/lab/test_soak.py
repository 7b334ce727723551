"""One recovery after the other (`make soak`): nothing lost, never two members that take writes."""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest

from orchestrator.domain.run import RunEnded, RunHeld, StepFinished
from tests.support import failovers
from tests.support.lab import Lab
from tests.support.orders_db import MEMBERS, OrdersDb
from tests.support.recover_command import Recover, Run, recover_in

pytestmark = [pytest.mark.lab, pytest.mark.soak, pytest.mark.usefixtures("full_lab")]

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "20"))
THAWS = int(os.environ.get("THAW_ROUNDS", "20"))
SEED = int(os.environ.get("SOAK_SEED", "1815"))
FAULTS = ("primary-killed", "primary-frozen", "postgresql-stopped", "host-off", "host-black-holed")
SAMPLE_EVERY_S = 0.1
SERVED = "drop-dead-connections"
TRIES = 5


@pytest.fixture(scope="module")
def recover(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Recover:
    made = recover_in(tmp_path_factory.mktemp("soak"), lab)
    failovers.allow_time(made)
    return made


@dataclass(slots=True)
class Sampler:
    """Looks every 100 ms which members take writes, past all networks of the site."""

    db: OrdersDb
    samples: int = 0
    double: list[tuple[str, ...]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        sessions: dict[str, psycopg.Connection[tuple[object, ...]]] = {}
        while not self._over.wait(SAMPLE_EVERY_S):
            writable = tuple(m for m in MEMBERS if self._takes_writes(m, sessions))
            self.samples += 1
            if len(writable) > 1:
                self.double.append(writable)
        for session in sessions.values():
            session.close()

    def stop(self) -> None:
        self._over.set()

    def _takes_writes(
        self, member: str, sessions: dict[str, psycopg.Connection[tuple[object, ...]]]
    ) -> bool:
        try:
            if member not in sessions:
                sessions[member] = self._connect(member)
            [(is_standby,)] = sessions[member].execute("select pg_is_in_recovery()").fetchall()
        except psycopg.Error:
            if (lost := sessions.pop(member, None)) is not None:
                lost.close()
            return False
        return not is_standby

    def _connect(self, member: str) -> psycopg.Connection[tuple[object, ...]]:
        lab = self.db.lab
        return psycopg.connect(
            host=lab.host(member).management,
            port=lab.blueprint.ports.postgresql,
            user="recover",
            password=lab.secret("recover"),
            dbname="shop",
            autocommit=True,
            connect_timeout=2,
            tcp_user_timeout=1000,
            keepalives_idle=1,
            keepalives_interval=1,
            keepalives_count=1,
        )


@contextmanager
def sampled(db: OrdersDb) -> Iterator[Sampler]:
    sampler = Sampler(db)
    thread = threading.Thread(target=sampler.watch, daemon=True)
    thread.start()
    try:
        yield sampler
    finally:
        sampler.stop()
        thread.join()


def test_service_survives_one_lost_primary_after_the_other(
    recover: Recover, orders_db: OrdersDb
) -> None:
    chosen = random.Random(SEED)  # noqa: S311 - which fault comes next is no secret
    runs: list[Run] = []
    with failovers.watched(recover), sampled(orders_db) as sampler:
        for number in range(1, ROUNDS + 1):
            fault, old = chosen.choice(FAULTS), orders_db.primary
            run = fail_over_from(recover, fault)
            runs.append(run)
            report = run.report()
            lost = failovers.lost_writes(run, orders_db)
            back_s = report["downtime"]["back_after_s"]
            _tell(
                f"round {number:2} of {ROUNDS}: {fault:18} {old} -> {orders_db.primary}, "
                f"{report['headline']}, back after {back_s} s, lost {len(lost)} of "
                f"{report['writes']['acknowledged']}"
            )
            assert lost == set()
            assert failovers.reported_losses(report) == 0
            orders_db.await_well()

    _tell(f"{sampler.samples} samples, {len(sampler.double)} with two writable members")
    assert sampler.double == []
    assert all(run.all_of(RunEnded) or run.all_of(RunHeld) for run in runs)


def test_frozen_primary_that_is_thawed_after_the_failover_acknowledges_nothing(
    recover: Recover, orders_db: OrdersDb
) -> None:
    acknowledged = 0
    with failovers.watched(recover):
        for number in range(1, THAWS + 1):
            old = orders_db.primary
            with failovers.broken(recover, "primary-frozen"):
                run = failovers.start(recover, "--set", "quiet_for=0s")
                failovers.agree(run)
                run.await_event(StepFinished, lambda done: done.step == SERVED)
                failovers.heal(recover)
                taken = _write_as_a_client(orders_db, old)
                told = run.attach()
                assert told.returncode == 0, told.stdout + told.stderr
            acknowledged += taken
            _tell(f"thaw {number:2} of {THAWS}: {old} acknowledged {taken} of {TRIES} writes")
            orders_db.await_well()

    assert acknowledged == 0


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def fail_over_from(recover: Recover, fault: str) -> Run:
    """Lose the primary by *fault*, and let a run replace it; whatever is broken is healed."""
    with failovers.broken(recover, fault):
        run = failovers.start(recover, "--set", "quiet_for=0s")
        failovers.agree(run)
        run.await_event(StepFinished, lambda done: done.step == SERVED)
        failovers.heal(recover)
        told = run.attach()
        assert told.returncode == 0, told.stdout + told.stderr
    return run


def _write_as_a_client(db: OrdersDb, host: str) -> int:
    """Try to write to the old address from where clients are, and count what is acknowledged."""
    statement = "insert into recover_marker (run, seq) values ('thaw', 1)"
    place = f"host={db.lab.host(host).address} port={db.lab.blueprint.ports.postgresql}"
    login = f"{place} user=canary dbname=shop connect_timeout=1"
    command = f'PGPASSWORD={db.lab.secret("canary")} psql -XAtc "{statement}" "{login}"'
    tries = (db.lab.try_ssh("client-1", command) for _ in range(TRIES))
    return sum(done.returncode == 0 for done in tries)
