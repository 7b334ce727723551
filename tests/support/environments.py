"""Builders of environments with boring defaults."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from datetime import timedelta

from orchestrator.domain.environment import (
    Account,
    Environment,
    EnvironmentKind,
    EnvironmentName,
    Host,
    HostName,
    Policy,
    Secret,
    Service,
    ServiceName,
    Ssh,
    Watch,
)
from orchestrator.domain.playbook import JourneyName

NO_SSH = Ssh(identity=Secret(file="identity"), known_hosts=Secret(file="known_hosts"))


def a_host(name: str, **variables: object) -> Host:
    """Return a host that is this machine, logged in to as the current user."""
    inventory = {"ansible_host": "127.0.0.1", "ansible_user": getpass.getuser(), **variables}
    return Host(name=HostName(name), site=str(variables.get("site", "a")), variables=inventory)


def a_database(*members: str, engine: str = "postgresql", user: str = "recover") -> Service:
    """Return the service ``orders-db``; the hosts tell the port, and whoever comes is trusted."""
    account = Account(user=user)
    return Service(
        name=ServiceName("orders-db"),
        engine=engine,
        members=tuple(HostName(member) for member in members),
        port="postgresql_port",
        database="postgres",
        accounts={"operator": account, "reader": account},
    )


def an_environment(
    *, hosts: Iterable[Host] = (), services: Iterable[Service] = (), ssh: Ssh = NO_SSH
) -> Environment:
    """Return an environment with these hosts and services, and nobody in it."""
    return Environment(
        environment=EnvironmentName("test"),
        title="Test",
        kind=EnvironmentKind.LAB,
        hosts={host.name: host for host in hosts},
        sites={},
        services={service.name: service for service in services},
        people={},
        policy=Policy(start=("on-call",), sign_off_within=timedelta(minutes=1)),
        ssh=ssh,
        watch=Watch(
            host=HostName("client"),
            service=ServiceName("orders-db"),
            journey=JourneyName("place-an-order"),
        ),
        invariants=(),
        journeys={},
    )
