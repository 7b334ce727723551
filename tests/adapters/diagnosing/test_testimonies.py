"""What a real standby says of its primary."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.diagnosis import Ailment, Witness
from orchestrator.domain.environment import Account, ServiceName
from tests.support.clinics import Clinic, ailments
from tests.support.real_postgresql import RealPostgresql
from tests.support.waiting import wait_until


def test_a_standby_tells_how_long_ago_it_heard_its_primary(clinic: Clinic) -> None:
    [testimony] = clinic.examine().testimonies

    assert testimony.witness is Witness.STANDBY
    assert testimony.heard_ago is not None
    assert testimony.heard_ago.total_seconds() < 60
    assert testimony.received_bytes


def test_a_stopped_primary_is_refused_and_its_standby_receives_nothing(
    clinic: Clinic, primary: RealPostgresql, standby: RealPostgresql
) -> None:
    primary.stop()
    try:
        wait_until(lambda: not _receives(standby), "a standby that receives nothing")
        seen = clinic.examine()
    finally:
        primary.start()
        wait_until(lambda: _receives(standby), "a standby that streams again")

    assert ailments(seen) == [Ailment.REFUSED] * 3
    assert [t.detail for t in seen.testimonies] == ["receives nothing"]
    assert seen.machine.is_reached
    assert seen.machine.redo_bytes


def test_a_standby_that_follows_somebody_else_did_not_hear_the_primary(clinic: Clinic) -> None:
    [testimony] = clinic.examine("pool-a1", on="db-down").testimonies

    assert testimony.heard_ago is None
    assert testimony.detail == "follows db-a1 instead"


def test_a_reader_without_the_right_to_look_says_nothing(
    clinic: Clinic, primary: RealPostgresql, standby: RealPostgresql
) -> None:
    primary.execute("create role bystander login")
    with standby.connect() as session:
        wait_until(
            lambda: bool(
                session.execute("select from pg_roles where rolname = 'bystander'").rowcount
            ),
            "the role on the standby",
        )
    environment = clinic.environment
    service = environment.services[ServiceName("orders-db")]
    accounts = {**service.accounts, "reader": Account(user="bystander")}
    services = {service.name: replace(service, accounts=accounts)}
    try:
        blind = replace(clinic, environment=replace(environment, services=services))
        [testimony] = blind.examine("pool-a1").testimonies
    finally:
        primary.execute("drop role bystander")

    assert testimony.witness is Witness.UNHEARD
    assert "grant pg_monitor" in testimony.detail


def _receives(standby: RealPostgresql) -> bool:
    with standby.connect() as session:
        return bool(session.execute("select from pg_stat_wal_receiver").rowcount)
