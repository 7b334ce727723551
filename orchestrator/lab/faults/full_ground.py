"""Ways into the hosts of the full lab."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.faults.ground import Ground
from orchestrator.lab.files import File, write_file
from orchestrator.lab.full_views import CLUSTER, CONFIGURATION, POSTGRESQL_HOME, data_directory
from orchestrator.lab.hosts import changed_files
from orchestrator.lab.record import ROOT

_UNITS = {"ssh": "ssh", "postgresql": "postgresql@15-main", "pgbouncer": "pgbouncer"}
_PROGRAMS = {"ssh": "sshd", "pgbouncer": "pgbouncer"}
_START_CONF = f"{CONFIGURATION}/start.conf"
_DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class FullGround(Ground):
    """Hosts with namespaces and a systemd of their own."""

    def data(self, host: str) -> Path:
        """Return where the machine has the data directory."""
        return data_directory(self.host(host), ROOT) / Path(CLUSTER).relative_to(POSTGRESQL_HOME)

    def data_inside(self, host: str) -> str:  # noqa: ARG002 - the same on each
        """Return Debian's place of it."""
        return CLUSTER

    def sockets(self, host: str) -> str:  # noqa: ARG002 - the same on each
        """Return Debian's place of them."""
        return "/run/postgresql"

    def start(self, host: str, service: str) -> None:
        """Ask systemd."""
        self.inside(host, "systemctl", "start", _UNITS[service])

    def stop_server(self, host: str) -> None:
        """Ask systemd."""
        self.inside(host, "systemctl", "stop", _UNITS["postgresql"])

    def kill(self, host: str, service: str) -> None:
        """Kill it so that systemd does not start it again."""
        self._kill(host, service)
        # It must not be restarted; and a session outlives the daemon that let it in.
        self.inside(host, "systemctl", "stop", _UNITS[service])
        self._kill(host, service)

    def keep_down(self, host: str) -> None:
        """Write Debian's word for that on the disk of the host."""
        place = changed_files(ROOT / host) / _START_CONF.lstrip("/")
        write_file(place, File(f"{_DISABLED}\n", 0o640, "postgres"))

    def is_kept_down(self, host: str) -> bool:
        """Read it from the disk of the host."""
        place = changed_files(ROOT / host) / _START_CONF.lstrip("/")
        return place.read_text(encoding="utf-8").strip() == _DISABLED

    def has_booted(self, host: str) -> bool:
        """Ask systemd."""
        return self.succeeds_inside(host, "systemctl", "-q", "is-active", "multi-user.target")

    def _kill(self, host: str, service: str) -> None:
        self.succeeds_inside(host, "pkill", "--signal", "KILL", "--exact", _PROGRAMS[service])
