"""Names of hosts and members in inputs, looked up in the environment."""

from __future__ import annotations

import getpass
from dataclasses import dataclass

from orchestrator.domain.environment import Environment, Host, HostName, Service, ServiceName
from orchestrator.domain.errors import TargetUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A host as one provider of a service."""

    service: Service
    host: Host

    @property
    def name(self) -> str:
        """As inputs and summaries write it: ``orders-db/db-a1``."""
        return f"{self.service.name}/{self.host.name}"

    @property
    def port(self) -> int:
        """Port of the service on this host."""
        return port_on(self.host, self.service.port)


def host_of(environment: Environment, target: str) -> Host:
    """Return the host of ``service/host`` or of a plain host name.

    Raises:
        TargetUnavailable: If the environment has no such host.
    """
    name = HostName(target.rpartition("/")[2])
    if (host := environment.hosts.get(name)) is None:
        raise TargetUnavailable(f"{environment.environment} has no host {name!r}: see its hosts")
    return host


def member_of(environment: Environment, target: str) -> Member:
    """Return the member that ``service/host`` names.

    Raises:
        TargetUnavailable: If the service or the host is unknown, or the host is no member.
    """
    service_name, _, host_name = target.partition("/")
    service = environment.services.get(ServiceName(service_name))
    if service is None or host_name not in service.members:
        raise TargetUnavailable(
            f"{environment.environment} has no member {target!r}: write service/host"
        )
    return Member(service=service, host=host_of(environment, host_name))


def port_on(host: Host, port: int | str) -> int:
    """Return *port*, looked up in the inventory variables of *host* if it is a name.

    Raises:
        TargetUnavailable: If the variable is missing or no number.
    """
    number = host.variables.get(port) if isinstance(port, str) else port
    if not isinstance(number, int):
        raise TargetUnavailable(f"{host.name} has no port: its variable {port!r} is {number!r}")
    return number


def login_of(host: Host) -> tuple[str, int]:
    """Return user and port for SSH. No other connection variable is ever obeyed."""
    user = str(host.variables.get("ansible_user", "")) or getpass.getuser()
    return user, int(str(host.variables.get("ansible_port", 22)))
