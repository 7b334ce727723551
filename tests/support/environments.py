"""Builders of environments with boring defaults."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from orchestrator.domain.environment import (
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
