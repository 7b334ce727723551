"""One primary with a standby for all examinations, left as it was by each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.adapters.system import SecretStore
from orchestrator.domain.environment import Account
from tests.support.clinics import Clinic
from tests.support.environments import a_database, a_host, an_environment
from tests.support.real_postgresql import BIN, RealPostgresql, real_postgresql
from tests.support.real_sshd import RealSshd
from tests.support.real_standbys import real_standbys


@pytest.fixture(scope="package")
def primary() -> Iterator[RealPostgresql]:
    with real_postgresql() as server:
        server.execute("create table recover_marker (run text not null, seq bigint not null)")
        yield server


@pytest.fixture(scope="package")
def standby(primary: RealPostgresql) -> Iterator[RealPostgresql]:
    with real_standbys(primary, "db-a2") as (server,):
        yield server


@pytest.fixture
def clinic(
    sshd: RealSshd,
    primary: RealPostgresql,
    standby: RealPostgresql,
    closed_port: int,
    silent_port: int,
) -> Clinic:
    here = {"postgresql_data": str(primary.data), "postgresql_bin": str(BIN)}
    hosts = [
        sshd.host("pool-a1"),
        sshd.host("client-1"),
        sshd.host("db-a1", postgresql_port=primary.port, **here),
        a_host("db-a2", postgresql_port=standby.port),
        a_host("db-down", postgresql_port=closed_port),
        a_host("place-silent", ansible_port=silent_port),
        a_host("place-gone", ansible_port=closed_port),
    ]
    service = a_database("db-a1", "db-a2", "db-down")
    stranger = Account(user="nobody")
    service = replace(service, accounts={**service.accounts, "stranger": stranger})
    return Clinic(
        environment=an_environment(hosts=hosts, services=[service], ssh=sshd.ssh),
        secrets=SecretStore(sshd.folder),
    )
