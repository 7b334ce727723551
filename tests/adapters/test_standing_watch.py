"""A fault, a standing watch, a run that starts after it: what is known, against the truth.

Real: the primary and its asynchronous standby, both canaries, kill -9, the promotion. Only the
way to the client host is a subprocess instead of SSH.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.canary_host import CanaryHost
from orchestrator.adapters.canary_over_ssh import SshCanary
from orchestrator.adapters.canary_specs import CanarySpecs
from orchestrator.adapters.facts_postgresql import PostgresqlFacts
from orchestrator.adapters.marker_count import count_markers
from orchestrator.adapters.probes.loss import LossProber
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.standing_watch import StandingWatch
from orchestrator.adapters.system import SecretStore, SystemClock
from orchestrator.domain.environment import Account, Environment, HostName, Service, ServiceName
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.journey import Journey, JourneyAction, JourneyActionKind, Place
from orchestrator.domain.observation import (
    STANDING,
    Found,
    MarkerId,
    MarkerWrite,
    Measurement,
    Sample,
    Watcher,
    WriteOutcome,
)
from orchestrator.domain.playbook import JourneyName, Probe
from orchestrator.domain.run import RunId
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.watching import measure
from tests.support.environments import a_database, a_host, an_environment
from tests.support.local_ssh import RECOVER, LocalSsh
from tests.support.real_postgresql import RealPostgresql, real_postgresql
from tests.support.real_standbys import real_standbys
from tests.support.relay import Relay, a_relay
from tests.support.waiting import wait_until, wall_clock

RUN = RunId("r-after-the-fault")
CLOCK = SystemClock()
WITHIN = timedelta(seconds=10)
LOOKS_IN = JourneyName("looks-in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An asynchronous pair behind a way that can be turned, and somebody who watches."""

    primary: RealPostgresql
    standby: RealPostgresql
    entry: Relay
    environment: Environment
    ssh: LocalSsh
    sql: SqlSessions
    home: Path

    @property
    def standing(self) -> StandingWatch:
        host = CanaryHost(self.environment, self.ssh, CLOCK)
        return StandingWatch(host, CanarySpecs(self.environment, SecretStore(self.home)))

    def canary(self, run: RunId = RUN) -> SshCanary:
        folder = self.home / run
        folder.mkdir(exist_ok=True)
        secrets = SecretStore(self.home)
        file = folder / "samples.jsonl"
        return SshCanary(run, self.environment, self.ssh, secrets, CLOCK, file)

    def seen_by_standing(self) -> list[MarkerWrite]:
        """The acknowledged markers of the standing watch, from its own file."""
        from orchestrator.adapters.canary.samples import read_samples

        file = self.home / "recover" / "canary" / "standing.jsonl"
        return acknowledged(read_samples(file.read_bytes().splitlines(), STANDING))

    def look_for_loss(self, canary: SshCanary, **inputs: object) -> Evidence:
        prober = LossProber(canary, "recover_marker", self.sql, CLOCK)
        probe = Probe(kind="loss", inputs={"on": "orders-db/db-a2", **inputs})
        return prober.look(probe, within=WITHIN)

    def there(self) -> set[MarkerId]:
        """Which markers the standby really has."""
        with self.standby.connect() as session:
            rows = session.execute("select run, seq from recover_marker").fetchall()
        return {MarkerId(str(run), int(str(seq))) for run, seq in rows}

    def count(self, samples: tuple[Sample, ...]) -> Found:
        finder = PostgresqlFacts(self.environment, self.sql)
        return count_markers(self.environment, RUN, finder, self.sql, samples)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with real_postgresql() as primary:
        primary.execute(
            "create table recover_marker (run text, seq bigint, at timestamptz default now())"
        )
        with real_standbys(primary, "db-a2") as (standby,), a_relay(primary.port) as entry:
            environment = an_environment_of(primary, standby, entry)
            ssh, sql = (
                LocalSsh(environment, tmp_path),
                SqlSessions(environment, SecretStore(tmp_path)),
            )
            yield Scene(
                primary=primary,
                standby=standby,
                entry=entry,
                environment=environment,
                ssh=ssh,
                sql=sql,
                home=tmp_path,
            )
            sql.close()


def an_environment_of(
    primary: RealPostgresql, standby: RealPostgresql, entry: Relay
) -> Environment:
    database = a_database("db-a1", "db-a2")
    accounts = {**database.accounts, "canary": Account(user="recover")}
    pool = Service(
        name=ServiceName("orders-pool"),
        engine="pgbouncer",
        members=(HostName("pool"),),
        port="pool_port",
        accounts=accounts,
    )
    shop = Service(
        name=ServiceName("shop"), engine="http", members=(HostName("app"),), port="shop_port"
    )
    environment = an_environment(
        hosts=[
            a_host("db-a1", postgresql_port=primary.port),
            a_host("db-a2", postgresql_port=standby.port),
            a_host("pool", pool_port=entry.port),
            a_host("app", shop_port=1),
        ],
        services=[replace(database, entry="orders-pool", accounts=accounts), pool, shop],
    )
    watch = replace(
        environment.watch,
        command=RECOVER,
        journey=LOOKS_IN,
        standing_every=timedelta(seconds=0.02),
    )
    return replace(environment, watch=watch, journeys={LOOKS_IN: a_look_in()})


def a_look_in() -> Journey:
    look = JourneyAction(
        name="look", kind=JourneyActionKind.SQL, inputs={"on": "orders-pool", "query": "select 1"}
    )
    place = Place(here="shop/app", there="shop/app")
    return Journey(journey=LOOKS_IN, title="Look in", places=(place,), actions=(look,))


@contextmanager
def watched(scene: Scene) -> Iterator[None]:
    """A standing watch is at work during the block."""
    scene.standing.start()
    try:
        wait_until(lambda: len(scene.seen_by_standing()) > 20, "it has seen some writes")
        yield
    finally:
        scene.standing.stop()


def lose_some(scene: Scene) -> datetime:
    """Let the primary acknowledge what it does not send on, and kill it."""
    with scene.primary.connect() as session:
        found = session.execute("select pid from pg_stat_replication").fetchall()
        (sender,) = (int(str(row[0])) for row in found)
    os.kill(sender, signal.SIGSTOP)
    before = len(scene.seen_by_standing())
    wait_until(lambda: len(scene.seen_by_standing()) > before + 10, "more are acknowledged")
    scene.primary.kill()
    return datetime.fromtimestamp(wall_clock(), UTC)


def fail_over(scene: Scene) -> None:
    scene.standby.execute("select pg_promote()")
    scene.entry.target = scene.standby.port


def acknowledged(samples: object) -> list[MarkerWrite]:
    assert not isinstance(samples, str)
    markers = [s for s in samples if isinstance(s, MarkerWrite)]  # type: ignore[attr-defined]
    return [marker for marker in markers if marker.is_acknowledged]


def wait_for_own_write(canary: SshCanary) -> None:
    def is_there() -> bool:
        return any(marker.canary == RUN for marker in acknowledged(canary.samples()))

    wait_until(is_there, "the run's own canary gets through")


def account_for(scene: Scene, canary: SshCanary, asked: datetime) -> Measurement:
    canary.stop()
    samples = tuple(canary.samples())
    return measure(
        samples,
        [],
        found=scene.count(samples),
        watchers=[Watcher.MARKERS],
        run=RUN,
        asked=asked,
        opened=asked,
    )


def test_lost_writes_of_a_failover_are_counted_exactly(scene: Scene) -> None:
    with watched(scene):
        killed = lose_some(scene)
        asked = datetime.fromtimestamp(wall_clock(), UTC)
        canary = scene.canary()
        started = canary.start()
        foretold = scene.look_for_loss(canary)
        fail_over(scene)
        wait_for_own_write(canary)
        measurement = account_for(scene, canary, asked)

        told = {marker.name for marker in acknowledged(canary.samples())}
        truth = told - scene.there()

    assert started.standing
    assert started.since is not None
    assert started.since < killed
    assert len(truth) >= 10, "some were lost indeed"
    assert set(measurement.writes.lost) == truth
    assert measurement.writes.contradicted == ()
    assert measurement.writes.duplicate == ()
    assert foretold.verdict is Verdict.FAILED
    assert foretold.summary.startswith(f"{len(truth)} of ")
    (outage,) = measurement.outages
    assert outage.start < killed < asked < outage.end
    assert measurement.seen_up_before
    assert measurement.back_after is not None
    assert measurement.back_after < outage.end - outage.start


def test_loss_within_what_is_allowed_passes(scene: Scene) -> None:
    with watched(scene):
        lose_some(scene)
        canary = scene.canary()
        canary.start()

        allowed = scene.look_for_loss(canary, at_most=1_000_000)

        canary.stop()
    assert allowed.verdict is Verdict.PASSED
    assert " acknowledged writes are not on db-a2, numbers " in allowed.summary


def test_standby_that_has_everything_loses_nothing(scene: Scene) -> None:
    with watched(scene):
        scene.entry.swallow()
        canary = scene.canary()
        canary.start()

        evidence = scene.look_for_loss(canary)

        canary.stop()
    assert evidence.verdict is Verdict.PASSED
    assert evidence.summary.startswith("all ")


def test_without_a_watch_before_the_fault_nothing_is_known_of_loss(scene: Scene) -> None:
    scene.primary.kill()
    asked = datetime.fromtimestamp(wall_clock(), UTC)
    canary = scene.canary()
    started = canary.start()

    evidence = scene.look_for_loss(canary)

    assert not started.standing
    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.summary == "nobody was watching before the fault"
    fail_over(scene)
    wait_for_own_write(canary)
    measurement = account_for(scene, canary, asked)
    assert measurement.writes.lost == ()
    assert not measurement.seen_up_before


def test_standby_that_does_not_replay_is_no_evidence(scene: Scene) -> None:
    with watched(scene):
        canary = scene.canary()
        canary.start()
        scene.standby.execute("select pg_wal_replay_pause()")
        before = len(scene.seen_by_standing())
        wait_until(lambda: len(scene.seen_by_standing()) > before + 5, "more is received")

        prober = LossProber(canary, "recover_marker", scene.sql, CLOCK)
        probe = Probe(kind="loss", inputs={"on": "orders-db/db-a2"})
        evidence = prober.look(probe, within=timedelta(seconds=2))

        scene.standby.execute("select pg_wal_replay_resume()")
        canary.stop()
    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.summary == "orders-db/db-a2 has not replayed what it received"


def test_member_that_cannot_be_asked_is_no_evidence(scene: Scene) -> None:
    with watched(scene):
        canary = scene.canary()
        canary.start()
        scene.standby.stop()

        evidence = scene.look_for_loss(canary)

        canary.stop()
    assert evidence.verdict is Verdict.INCONCLUSIVE


def test_driver_after_us_goes_on_with_the_same_samples(scene: Scene) -> None:
    with watched(scene):
        first = scene.canary()
        first.start()
        seen = first.samples()
        heir = scene.canary()

        started = heir.start()
        inherited = heir.samples()
        heir.stop()

    assert started.standing
    assert tuple(inherited[: len(seen)]) != ()
    assert {s.name for s in acknowledged(seen)} <= {s.name for s in acknowledged(inherited)}
    names = [s.name for s in inherited if isinstance(s, MarkerWrite)]
    assert len(names) == len(set(names)), "nothing is told twice"


def test_status_tells_who_is_at_work(scene: Scene) -> None:
    assert scene.standing.start() is False
    assert scene.standing.start() is True
    at_work = scene.standing.status()
    assert scene.standing.stop() is True
    gone = scene.standing.status()
    assert scene.standing.stop() is False

    assert (at_work.is_running, gone.is_running) == (True, False)
    assert at_work.silent_for is not None
    assert at_work.silent_for < timedelta(seconds=3)


def test_marker_outcomes_are_those_of_both(scene: Scene) -> None:
    with watched(scene):
        canary = scene.canary()
        canary.start()
        wait_for_own_write(canary)
        canary.stop()
        samples = canary.samples()

    markers = [s for s in samples if isinstance(s, MarkerWrite)]
    assert {marker.canary for marker in markers} == {STANDING, RUN}
    assert {marker.outcome for marker in markers} == {WriteOutcome.ACKNOWLEDGED}
