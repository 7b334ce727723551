"""An environment: the systems of one client that playbooks act on, and the rules there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import NewType

from orchestrator.domain.checklist import PersonName
from orchestrator.domain.journey import Journey
from orchestrator.domain.playbook import JourneyName, Probe

EnvironmentName = NewType("EnvironmentName", str)
HostName = NewType("HostName", str)
ServiceName = NewType("ServiceName", str)
FenceName = NewType("FenceName", str)


class EnvironmentKind(StrEnum):
    """How much is at stake."""

    LAB = "lab"
    STAGING = "staging"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Where a secret is; its value is read at the moment of use and never kept.

    Attributes:
        file: A file; a relative path is below the state directory.
    """

    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who we are to a service."""

    user: str
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine, as the Ansible inventory tells it.

    Attributes:
        variables: Its inventory variables, those of its groups included.
    """

    name: HostName
    site: str
    variables: Mapping[str, object]

    @property
    def reached_at(self) -> str:
        """Address at which the controller reaches it."""
        return str(self.variables.get("ansible_host", self.name))

    @property
    def address(self) -> str:
        """Address at which other hosts reach it."""
        return str(self.variables.get("address", self.reached_at))


class FenceLayer(StrEnum):
    """What a fence takes away, from the inside out: the server, its network, its power."""

    SERVICE = "service"
    NETWORK = "network"
    POWER = "power"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """One means of keeping a member from taking writes, whatever state it is in.

    Attributes:
        fence: Its name, unique within its service.
        layer: What it takes away; playbooks name it where they mean one kind of fence.
        within: What it may cost at most, its own look included; after that the next one is tried.
        kind: Which adapter operates it: ``ssh``, ``agent``.
        inputs: Its arguments, as plain data; ``${member}`` stands for the member.
    """

    fence: FenceName
    layer: FenceLayer
    within: timedelta
    kind: str
    inputs: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What users or other services depend on, and the hosts that provide it.

    Attributes:
        engine: The product, e.g. ``postgresql``, ``pgbouncer``, ``http``.
        members: Hosts that provide it, in order of preference.
        port: A number, or the name of the inventory variable that holds it.
        database: For SQL: the database that the probes and canaries use.
        entry: The service through which clients come, if not directly.
        accounts: Who we are to it, by purpose: ``operator`` acts, ``reader`` looks.
        places: Hosts from which a diagnosis looks at it, beside the controller.
        settings: Further facts that playbooks refer to.
        fences: For each member, in the order in which they are tried.
    """

    name: ServiceName
    engine: str
    members: tuple[HostName, ...]
    port: int | str
    database: str = ""
    entry: str = ""
    accounts: Mapping[str, Account] = field(default_factory=dict)
    places: tuple[HostName, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    fences: tuple[Fence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place that can be lost as a whole."""

    title: str
    hosts: tuple[HostName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may start, sign or approve."""

    name: str
    roles: tuple[str, ...]
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who may do what here.

    Attributes:
        start: Roles that may start a run.
        requester_may_sign: False where the one who starts may not sign its gates.
        sign_off_within: How long a gate waits for people before the run ends. Never means yes.
    """

    start: tuple[str, ...]
    requester_may_sign: bool = False
    sign_off_within: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """What must hold before and after every mutating step.

    Attributes:
        service: Each of its members is looked at.
        probe: The look; ``${member}`` stands for the member.
        at_most: How many members may pass the probe. An unheard member may be one of them.
        at_least: How many members must be seen to pass it.
    """

    invariant: str
    why: str
    service: ServiceName
    probe: Probe
    at_most: int | None = None
    at_least: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh:
    """How the controller logs in: one identity, and the host keys it accepts."""

    identity: Secret
    known_hosts: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What users see, and from where we watch it.

    Attributes:
        host: The client host on which the canary runs.
        command: How ``recover`` is called there.
        service: The SQL service that takes the marker writes, through its entry.
        account: Which of its accounts writes them.
        table: Holds the marker writes (run, seq, at).
        journey: Walked all the time.
        marker_every: Time between two marker writes.
        walk_every: Time between two walks.
        standing_every: The same for the standing watch, which is at work in peace.
        standing_walk_every: And for its walks.
    """

    host: HostName
    service: ServiceName
    journey: JourneyName
    command: tuple[str, ...] = ("recover",)
    account: str = "canary"
    table: str = "recover_marker"
    marker_every: timedelta = timedelta(milliseconds=10)
    walk_every: timedelta = timedelta(milliseconds=200)
    standing_every: timedelta = timedelta(milliseconds=100)
    standing_walk_every: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The systems of one client.

    Attributes:
        secrets: What journeys refer to as ``${secret.NAME}``.
    """

    environment: EnvironmentName
    title: str
    kind: EnvironmentKind
    hosts: Mapping[HostName, Host]
    sites: Mapping[str, Site]
    services: Mapping[ServiceName, Service]
    people: Mapping[PersonName, Person]
    policy: Policy
    ssh: Ssh
    watch: Watch
    invariants: tuple[Invariant, ...]
    journeys: Mapping[JourneyName, Journey]
    secrets: Mapping[str, Secret] = field(default_factory=dict)
