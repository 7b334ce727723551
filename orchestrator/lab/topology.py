"""The hosts of the lab, their sites and addresses, and the links between the sites."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Role(StrEnum):
    """What a host is for, and so what runs on it."""

    DATABASE = "database"
    POOLER = "pooler"
    APP = "app"
    ROUTER = "router"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One machine of the lab.

    Attributes:
        management: Where the controller reaches it.
        address: Where the other hosts reach it, on its site's network.
    """

    name: str
    site: str
    role: Role
    management: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A wire between the two routers; the lowest metric carries the traffic."""

    name: str
    metric: int
    end_a: str
    end_b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the services of every host listen."""

    ssh: int
    postgresql: int
    pgbouncer: int
    shop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """A kind of lab: what it is called, who is in it and where they listen.

    Attributes:
        prefix: Holds every address that a host's traffic comes from.
    """

    kind: str
    environment: str
    prefix: str
    hosts: tuple[Host, ...]
    ports: Ports

    def having(self, role: Role) -> tuple[Host, ...]:
        """Return the hosts of *role*, the first being the one in charge at the start."""
        return tuple(host for host in self.hosts if host.role is role)


def _host(name: str, role: Role, management: int, address: str) -> Host:
    site = "client" if role is Role.CLIENT else name.split("-")[1][0]
    return Host(
        name=name, site=site, role=role, management=f"10.77.0.{management}", address=address
    )


FULL = Blueprint(
    kind="full",
    environment="lab",
    prefix="10.77.0.0/16",
    hosts=(
        _host("rtr-a1", Role.ROUTER, 1, "10.77.1.1"),
        _host("rtr-b1", Role.ROUTER, 2, "10.77.2.1"),
        _host("db-a1", Role.DATABASE, 11, "10.77.1.11"),
        _host("db-a2", Role.DATABASE, 12, "10.77.1.12"),
        _host("db-b1", Role.DATABASE, 21, "10.77.2.21"),
        _host("pool-a1", Role.POOLER, 13, "10.77.1.13"),
        _host("app-a1", Role.APP, 14, "10.77.1.14"),
        _host("app-b1", Role.APP, 24, "10.77.2.24"),
        _host("client-1", Role.CLIENT, 31, "10.77.3.31"),
    ),
    ports=Ports(ssh=22, postgresql=5432, pgbouncer=6432, shop=8080),
)

CONTROLLER = "10.77.0.254"
SITE_NETWORKS = {"a": "10.77.1.0/24", "b": "10.77.2.0/24", "client": "10.77.3.0/24"}
# The client network has a port on each router, so that losing a site never hides the other.
CLIENT_GATEWAYS = {"a": "10.77.3.1", "b": "10.77.3.2"}
LINKS = (
    Link(name="wan0", metric=100, end_a="10.77.100.1", end_b="10.77.100.2"),
    Link(name="wan1", metric=200, end_a="10.77.101.1", end_b="10.77.101.2"),
)


def _on_loopback(host: Host) -> Host:
    address = host.address.replace("10.", "127.", 1)
    return replace(host, management=address, address=address)


LOOPBACK = Blueprint(
    kind="loopback",
    environment="lab-loopback",
    prefix="127.0.0.0/8",
    hosts=tuple(_on_loopback(host) for host in FULL.hosts if host.role is not Role.ROUTER),
    ports=Ports(ssh=22022, postgresql=15432, pgbouncer=16432, shop=18080),
)
