"""Roles of real servers, and why one is not fit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.adapters.facts_postgresql import LOOK_LIMIT, PostgresqlFacts
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.plan import Roles
from tests.support.environments import a_database, a_host, an_environment
from tests.support.real_postgresql import SUPERUSER, RealPostgresql, real_postgresql
from tests.support.real_standbys import real_standbys
from tests.support.waiting import wait_until

SITES = {"db-a1": "a", "db-b1": "b", "db-a2": "a", "db-down": "a"}


@pytest.fixture(scope="module")
def servers() -> Iterator[Mapping[str, RealPostgresql]]:
    """A primary and two standbys; the one at the other site stands first in the service."""
    with real_postgresql() as primary, real_standbys(primary, "db-b1", "db-a2") as (b1, a2):
        yield {"db-a1": primary, "db-b1": b1, "db-a2": a2}


def roles(ports: Mapping[str, int]) -> Roles:
    # Every server is at 127.0.0.1 here, so that only the application name tells them apart.
    hosts = [
        a_host(name, postgresql_port=port, site=SITES[name], address=f"192.0.2.{index}")
        for index, (name, port) in enumerate(ports.items())
    ]
    service = a_database(*ports)
    environment = an_environment(hosts=hosts, services=[service])
    sessions = SqlSessions(environment, SecretStore(Path()))
    try:
        return PostgresqlFacts(environment, sessions).roles(service)
    finally:
        sessions.close()


def ports_of(servers: Mapping[str, RealPostgresql]) -> dict[str, int]:
    return {name: server.port for name, server in servers.items()}


@contextmanager
def settings(server: RealPostgresql, **values: str) -> Iterator[None]:
    server.execute(*(f"alter system set {name} = '{v}'" for name, v in values.items()))
    server.execute("select pg_reload_conf()")
    yield
    server.execute(*(f"alter system reset {name}" for name in values))
    server.execute("select pg_reload_conf()")


def wait_for(server: RealPostgresql, condition: str) -> None:
    def holds() -> bool:
        with server.connect() as connection:
            return connection.execute(f"select {condition}".encode()).fetchone() == (True,)

    wait_until(holds, condition)


def test_the_primary_s_site_comes_first(servers: Mapping[str, RealPostgresql]) -> None:
    found = roles(ports_of(servers))

    assert found == Roles(
        primary="db-a1",
        standbys=("db-a2", "db-b1"),
        reasons={},
        last_primary="db-a1",
        candidates=("db-a2", "db-b1"),
    )


def test_a_synchronous_standby_comes_before_a_near_one(
    servers: Mapping[str, RealPostgresql],
) -> None:
    with settings(servers["db-a1"], synchronous_standby_names='"db-b1"'):
        wait_for(
            servers["db-a1"],
            "exists (select from pg_stat_replication where sync_state = 'sync')",
        )

        assert roles(ports_of(servers)).standbys == ("db-b1", "db-a2")


def test_a_standby_with_paused_replay_is_not_fit(servers: Mapping[str, RealPostgresql]) -> None:
    servers["db-a2"].execute("select pg_wal_replay_pause()")
    try:
        found = roles(ports_of(servers))
    finally:
        servers["db-a2"].execute("select pg_wal_replay_resume()")

    assert found.reasons == {"db-a2": "its replay is paused"}
    assert found.standbys == ("db-b1",)


def test_a_standby_that_replays_late_is_not_fit(servers: Mapping[str, RealPostgresql]) -> None:
    with settings(servers["db-b1"], recovery_min_apply_delay="5min"):
        wait_for(servers["db-b1"], "current_setting('recovery_min_apply_delay') = '5min'")

        assert roles(ports_of(servers)).reasons == {"db-b1": "it replays with a delay"}


def test_a_member_that_does_not_answer_has_no_role(
    servers: Mapping[str, RealPostgresql], closed_port: int
) -> None:
    found = roles({**ports_of(servers), "db-down": closed_port})

    assert found.reasons == {"db-down": "does not answer (refused)"}
    assert found.primary == "db-a1"


def test_a_standby_of_somebody_else_does_not_count(
    servers: Mapping[str, RealPostgresql], postgresql: RealPostgresql
) -> None:
    found = roles({"db-a1": postgresql.port, "db-b1": servers["db-b1"].port})

    assert found.reasons == {"db-b1": "does not stream from db-a1"}
    assert found.strayed == ("db-b1",)
    assert found.candidates == ()


def test_two_that_take_writes_are_no_primary(
    servers: Mapping[str, RealPostgresql], postgresql: RealPostgresql
) -> None:
    found = roles({**ports_of(servers), "db-down": postgresql.port})

    assert (found.primary, found.standbys) == ("", ())
    assert found.reasons == {
        "db-a1": "takes writes",
        "db-b1": "is a standby of db-a1",
        "db-a2": "is a standby of db-a1",
        "db-down": "takes writes",
    }
    assert (found.last_primary, found.candidates) == ("", ())


def test_looking_twice_says_the_same(servers: Mapping[str, RealPostgresql]) -> None:
    ports = ports_of(servers)

    assert roles(ports) == roles(ports)


def test_killed_primary_is_named_by_those_that_followed_it() -> None:
    with real_postgresql() as primary, real_standbys(primary, "db-b1", "db-a2") as (b1, a2):
        ports = {"db-a1": primary.port, "db-b1": b1.port, "db-a2": a2.port}
        primary.kill()
        wait_for(b1, "not exists (select from pg_stat_wal_receiver)")

        found = roles(ports)

    assert found == Roles(
        primary="",
        standbys=(),
        reasons={
            "db-a1": "does not answer (refused)",
            "db-b1": "is a standby of db-a1",
            "db-a2": "is a standby of db-a1",
        },
        last_primary="db-a1",
        candidates=("db-a2", "db-b1"),
    )


def test_frozen_primary_is_named_within_the_limit_by_those_that_still_hold_on_to_it() -> None:
    with real_postgresql() as primary, real_standbys(primary, "db-b1", "db-a2") as (b1, a2):
        ports = {"db-a1": primary.port, "db-b1": b1.port, "db-a2": a2.port}
        primary.freeze()
        wait_for(b1, "exists (select from pg_stat_wal_receiver where status = 'streaming')")
        began = time.monotonic()

        found = roles(ports)

        assert time.monotonic() - began < LOOK_LIMIT.total_seconds() + 0.5
        primary.thaw()
    assert found.reasons["db-a1"] == "does not answer (hung)"
    assert (found.last_primary, found.candidates) == ("db-a1", ("db-a2", "db-b1"))


def test_standby_that_received_more_comes_first_though_it_replays_nothing() -> None:
    with real_postgresql() as primary, real_standbys(primary, "db-a2", "db-b1") as (a2, b1):
        ports = {"db-a1": primary.port, "db-a2": a2.port, "db-b1": b1.port}
        b1.execute("select pg_wal_replay_pause()")
        a2.stop()
        primary.execute("create table seen_by_b1_alone (seq int)")
        wait_for(b1, "pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()")
        primary.kill()
        a2.start()

        found = roles(ports)

    assert found.candidates == ("db-b1", "db-a2")


def test_newer_timeline_comes_first_though_no_control_file_tells_of_it_yet() -> None:
    with (
        real_postgresql() as first,
        real_standbys(first, "db-a2", "db-b1", "db-a1") as (a2, b1, a1),
    ):
        ports = {"db-a1": a1.port, "db-a2": a2.port, "db-b1": b1.port}
        first.kill()
        a1.execute("select pg_promote()")
        aim(b1, at=a1)
        wait_for(b1, "(select received_tli from pg_stat_wal_receiver) = 2")
        a1.execute("create table seen_by_b1_alone (seq int)")
        wait_for(b1, "to_regclass('seen_by_b1_alone') is not null")
        a1.kill()
        aim(a2, at=a1)

        found = roles(ports)

        wait_for(b1, "(select timeline_id from pg_control_checkpoint()) = 1")
    assert (found.last_primary, found.candidates) == ("db-a1", ("db-b1", "db-a2"))


def aim(standby: RealPostgresql, *, at: RealPostgresql) -> None:
    upstream = f"host=127.0.0.1 port={at.port} user={SUPERUSER}"
    standby.execute(f"alter system set primary_conninfo = '{upstream}'", "select pg_reload_conf()")
    wait_for(standby, f"current_setting('primary_conninfo') = '{upstream}'")
