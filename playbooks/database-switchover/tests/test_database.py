"""The end state, on the hosts themselves."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def service(plan):
    return plan.environment.services[plan.parameters["database"]]


@pytest.fixture(scope="session")
def members(service):
    return [f"{service.name}/{host}" for host in service.members]


@pytest.fixture(scope="session")
def target(plan):
    return plan.parameters["target"]


@pytest.fixture(scope="session")
def old_primary(plan, service):
    return f"{service.name}/{plan.facts.roles[service.name].primary}"


@pytest.fixture(scope="session")
def data_of(plan):
    def folder(member):
        return plan.environment.hosts[member.split("/")[1]].variables["postgresql_data"]

    return folder


def test_every_member_runs_a_server(host, members):
    without = [m for m in members if not host(m).process.filter(comm="postgres")]

    assert not without


def test_only_the_target_takes_writes(ask, members, target):
    query = "select pg_is_in_recovery() as standby"

    writable = [m for m in members if not ask(m, query)[0]["standby"]]

    assert writable == [target]


def test_only_the_target_lacks_the_sign_of_a_standby(host, data_of, members, target):
    without = [m for m in members if not host(m).file(f"{data_of(m)}/standby.signal").exists]

    assert without == [target]


def test_the_old_primary_follows_the_target(ask, plan, old_primary, target):
    address = plan.environment.hosts[target.split("/")[1]].address

    rows = ask(old_primary, "select status, sender_host from pg_stat_wal_receiver")

    assert [(row["status"], row["sender_host"]) for row in rows] == [("streaming", address)]


def test_every_member_is_on_the_target_s_timeline(ask, members, target):
    received = "select received_tli as timeline_id from pg_stat_wal_receiver"
    written = "select left(pg_walfile_name(pg_current_wal_lsn()), 8) as timeline"
    timeline = int(ask(target, written)[0]["timeline"], base=16)

    others = [ask(m, received)[0]["timeline_id"] for m in members if m != target]

    assert others == [timeline] * (len(members) - 1)


def test_the_target_keeps_a_slot_for_every_other_member(ask, members, target):
    rows = ask(target, "select count(*) as slots from pg_replication_slots where active")

    assert rows[0]["slots"] == len(members) - 1


def test_the_pooler_s_new_address_was_taken(host, plan, service, target):
    entry = plan.environment.services[service.entry]
    pooler = plan.environment.hosts[entry.members[0]]
    address = plan.environment.hosts[target.split("/")[1]].address
    databases = host(pooler.name).file(pooler.variables["pgbouncer_databases"])

    assert f"host={address} " in databases.content_string
    assert not host(pooler.name).file(f"{databases.path}.next").exists
