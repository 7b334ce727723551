"""The lab that is up, as its faults reach it: past its networks, its logins and its accounts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.commands import run, succeeds
from orchestrator.lab.errors import FaultImpossible
from orchestrator.lab.fence_agent import AGENT
from orchestrator.lab.postgresql import BIN
from orchestrator.lab.record import INSIDE, ROOT
from orchestrator.lab.topology import Blueprint, Host, Role

_PATIENCE_S = 5
_FIRST_TIMELINE = 1
# Some end while it looks, which find takes for an error.
_PROCESSES = """\
find /proc -mindepth 2 -maxdepth 2 -name cwd -lname "$1" -printf '%h\\n' 2> /dev/null || true
"""
_READ_AGAIN = "select pg_reload_conf()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground(ABC):
    """A lab and the ways into its hosts that need nothing of what a fault may break.

    Attributes:
        home: The controller's keys and passwords, and the agent of the out-of-band control.
    """

    blueprint: Blueprint
    home: Path

    @abstractmethod
    def data(self, host: str) -> Path:
        """Return the data directory of *host* as this machine sees it, host on or off."""

    @abstractmethod
    def data_inside(self, host: str) -> str:
        """Return the data directory of *host* as the host sees it."""

    @abstractmethod
    def sockets(self, host: str) -> str:
        """Return the directory of the server's sockets as the host sees it."""

    @abstractmethod
    def start(self, host: str, service: str) -> None:
        """Start ``ssh``, ``postgresql`` or ``pgbouncer``, and leave alone one that runs."""

    @abstractmethod
    def stop_server(self, host: str) -> None:
        """Shut the server of *host* down as its operator would."""

    @abstractmethod
    def kill(self, host: str, service: str) -> None:
        """End ``ssh`` or ``pgbouncer``, every session included, as by SIGKILL."""

    @abstractmethod
    def keep_down(self, host: str) -> None:
        """Let nothing start the server of *host*, which is off, when it boots."""

    @abstractmethod
    def is_kept_down(self, host: str) -> bool:
        """Tell whether somebody said that nothing may start the server of *host*."""

    @abstractmethod
    def has_booted(self, host: str) -> bool:
        """Tell whether *host*, switched on, has started what it starts by itself."""

    def host(self, name: str) -> Host:
        """Return the host *name*."""
        return next(host for host in self.blueprint.hosts if host.name == name)

    def members(self) -> tuple[str, ...]:
        """Return the hosts of the database service."""
        return tuple(host.name for host in self.blueprint.having(Role.DATABASE))

    def inside(self, host: str, *argv: str, patience_s: float = 60) -> str:
        """Run *argv* inside *host* and return what it printed.

        Raises:
            CommandFailed: If it says no, takes too long, or the host is off.
        """
        return run([str(ROOT / host / INSIDE), *argv], patience_s=patience_s)

    def succeeds_inside(self, host: str, *argv: str) -> bool:
        """Tell whether *argv* runs inside *host* and exits 0."""
        return succeeds([str(ROOT / host / INSIDE), *argv])

    def sql(self, host: str, *statements: str, database: str = "postgres") -> str:
        """Execute *statements* one by one as the owner of the server, by its socket.

        Raises:
            CommandFailed: Also if it does not answer within five seconds.
        """
        argv = [f"{BIN}/psql", "-XAtq", "-h", self.sockets(host), "-U", "postgres"]
        argv += ["-p", str(self.blueprint.ports.postgresql), "-d", database]
        argv += ["-v", "ON_ERROR_STOP=1"]
        for statement in statements:
            argv += ["-c", statement]
        return self.inside(host, *argv, patience_s=_PATIENCE_S).strip()

    def says(self, host: str, query: str) -> bool:
        """Tell whether the server of *host* answers *query* with true."""
        return self.sql(host, query) == "t"

    def configure(self, host: str, setting: str, value: str) -> None:
        """Have the server of *host* use *value* as soon as it has read its files again."""
        self.sql(host, f"alter system set {setting} = '{value}'", _READ_AGAIN)

    def reset(self, host: str, setting: str) -> None:
        """Undo :meth:`configure`, also for a server that is not there."""
        if self.server_processes(host):
            self.sql(host, f"alter system reset {setting}", _READ_AGAIN)
            return
        file = f"{self.data_inside(host)}/postgresql.auto.conf"
        self.inside(host, "sed", "-i", f"/^{setting} /d", file)

    def is_on(self, host: str) -> bool:
        """Tell whether *host* has power, as the out-of-band control says."""
        return succeeds(self._agent, stdin=self._order(host, "power", "status"))

    def switch(self, host: str, action: str) -> None:
        """Turn the power of *host* ``on`` or ``off`` by the out-of-band control."""
        run(self._agent, stdin=self._order(host, "power", action))

    def port_is_open(self, host: str) -> bool:
        """Tell whether the switch lets *host* into the network of its site."""
        return succeeds(self._agent, stdin=self._order(host, "port", "status"))

    def server_processes(self, host: str) -> list[str]:
        """Return the processes of the server of *host*: those that work in its data directory."""
        found = self.inside(host, "sh", "-c", _PROCESSES, "sh", self.data_inside(host))
        return [Path(line).name for line in found.splitlines()]

    def postmaster(self, host: str) -> str:
        """Return the process that is the parent of the others."""
        return (self.data(host) / "postmaster.pid").read_text(encoding="utf-8").split()[0]

    def timeline(self, host: str) -> int:
        """Return the last timeline whose beginning *host* knows of."""
        known = (self.data(host) / "pg_wal").glob("*.history")
        return max((int(path.stem, 16) for path in known), default=_FIRST_TIMELINE)

    def primary(self) -> str:
        """Return the member that was last made a primary, dead or alive.

        Raises:
            FaultImpossible: If there is none, or more than one.
        """
        found = self._primaries()
        newest = max((timeline for _, timeline in found), default=0)
        names = [name for name, timeline in found if timeline == newest]
        if len(names) != 1:
            raise FaultImpossible(
                f"the lab has {len(names)} primaries of the same age: say which host with --on"
            )
        return names[0]

    def standbys(self) -> list[str]:
        """Return the other members, those at the primary's site first."""
        primary = self.primary()
        site = self.host(primary).site
        others = [member for member in self.members() if member != primary]
        return sorted(others, key=lambda member: self.host(member).site != site)

    def successor(self, host: str) -> str:
        """Return the member that was promoted after *host*, or nothing."""
        own = self.timeline(host)
        later = [name for name, timeline in self._primaries() if timeline > own]
        return later[0] if later else ""

    def reason_to_stay_down(self, host: str) -> str:
        """Say why nothing may start the server of *host*; nothing if it may be started."""
        if host not in self.members():
            return ""
        if successor := self.successor(host):
            return f"{successor} was promoted meanwhile: {host} needs database-reprotect"
        return f"{host} is fenced: its server stays down" if self.is_kept_down(host) else ""

    def _primaries(self) -> list[tuple[str, int]]:
        return [
            (member, self.timeline(member))
            for member in self.members()
            if not (self.data(member) / "standby.signal").exists()
        ]

    @property
    def _agent(self) -> list[str]:
        return [str(self.home / AGENT)]

    def _order(self, host: str, device: str, action: str) -> str:
        password = (self.home / "secrets" / "fence").read_text(encoding="ascii")
        order = {"password": password, "device": device, "plug": host, "action": action}
        return "".join(f"{key}={value}\n" for key, value in order.items())
