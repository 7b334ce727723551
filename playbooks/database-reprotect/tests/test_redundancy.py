"""The end state, on the hosts themselves: one member takes writes, and all others follow it."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def service(plan):
    return plan.environment.services[plan.parameters["database"]]


@pytest.fixture(scope="session")
def members(service):
    return [f"{service.name}/{host}" for host in service.members]


@pytest.fixture(scope="session")
def writable(ask, members):
    query = "select pg_is_in_recovery() as standby"
    return [m for m in members if not ask(m, query)[0]["standby"]]


@pytest.fixture(scope="session")
def standbys(members, writable):
    return [m for m in members if m not in writable]


@pytest.fixture(scope="session")
def machine_of(plan):
    return lambda member: plan.environment.hosts[member.split("/")[1]]


def test_every_member_runs_a_server(host, members):
    without = [m for m in members if not host(m).process.filter(comm="postgres")]

    assert not without


def test_exactly_one_member_takes_writes(writable):
    assert len(writable) == 1


def test_only_that_one_lacks_the_sign_of_a_standby(host, machine_of, members, writable):
    sign = "{}/standby.signal"
    folders = {m: machine_of(m).variables["postgresql_data"] for m in members}

    without = [m for m in members if not host(m).file(sign.format(folders[m])).exists]

    assert without == writable


def test_every_other_member_follows_it(ask, machine_of, standbys, writable):
    address = machine_of(writable[0]).address
    query = "select status, sender_host from pg_stat_wal_receiver"

    followed = [(row["status"], row["sender_host"]) for m in standbys for row in ask(m, query)]

    assert followed == [("streaming", address)] * len(standbys)


def test_every_other_member_is_on_its_timeline(ask, standbys, writable):
    received = "select received_tli as timeline_id from pg_stat_wal_receiver"
    written = "select left(pg_walfile_name(pg_current_wal_lsn()), 8) as timeline"
    timeline = int(ask(writable[0], written)[0]["timeline"], base=16)

    others = [ask(m, received)[0]["timeline_id"] for m in standbys]

    assert others == [timeline] * len(standbys)


def test_it_keeps_a_slot_for_every_other_member(ask, standbys, writable):
    rows = ask(writable[0], "select count(*) as slots from pg_replication_slots where active")

    assert rows[0]["slots"] == len(standbys)


def test_no_other_member_keeps_a_slot(ask, standbys):
    query = "select slot_name from pg_replication_slots"

    assert [row for m in standbys for row in ask(m, query)] == []


def test_the_pooler_s_configuration_names_it(host, plan, service, machine_of, writable):
    entry = plan.environment.services[service.entry]
    pooler = plan.environment.hosts[entry.members[0]]
    databases = host(pooler.name).file(pooler.variables["pgbouncer_databases"])

    assert f"host={machine_of(writable[0]).address} " in databases.content_string
    assert not host(pooler.name).file(f"{databases.path}.next").exists
