"""Names in inputs: which host, which port, which login."""

from __future__ import annotations

import getpass

import pytest

from orchestrator.adapters.targets import host_of, login_of, member_of, port_on
from orchestrator.domain.environment import Host, HostName
from orchestrator.domain.errors import TargetUnavailable
from tests.support.environments import a_database, a_host, an_environment

ENVIRONMENT = an_environment(
    hosts=[a_host("db-a1", postgresql_port=5433), a_host("app-a1")],
    services=[a_database("db-a1")],
)


def test_a_member_names_its_host() -> None:
    assert host_of(ENVIRONMENT, "orders-db/db-a1").name == "db-a1"
    assert host_of(ENVIRONMENT, "app-a1").name == "app-a1"


def test_a_member_knows_its_port_and_name() -> None:
    member = member_of(ENVIRONMENT, "orders-db/db-a1")

    assert (member.name, member.port) == ("orders-db/db-a1", 5433)


@pytest.mark.parametrize("target", ["orders-db/app-a1", "orders-db", "shop/db-a1", ""])
def test_what_is_no_member_is_refused(target: str) -> None:
    with pytest.raises(TargetUnavailable, match="no member"):
        member_of(ENVIRONMENT, target)


@pytest.mark.parametrize("port", ["missing", "ansible_host"])
def test_a_port_must_be_a_number(port: str) -> None:
    with pytest.raises(TargetUnavailable, match="has no port"):
        port_on(a_host("db-a1"), port)


def test_one_logs_in_as_oneself_on_port_22_unless_told_otherwise() -> None:
    plain = Host(name=HostName("db-a1"), site="a", variables={})

    assert login_of(plain) == (getpass.getuser(), 22)
    assert login_of(a_host("x", ansible_user="ops", ansible_port="2222")) == ("ops", 2222)
