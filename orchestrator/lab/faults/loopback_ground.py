"""Ways into the hosts of the loopback lab."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.commands import detach, succeeds
from orchestrator.lab.faults.ground import Ground
from orchestrator.lab.loopback_views import FENCED
from orchestrator.lab.record import BOOT, ROOT

_PID_FILES = {"ssh": "sshd.pid", "pgbouncer": "run/pgbouncer.pid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopbackGround(Ground):
    """Hosts that are processes and share one file system."""

    def data(self, host: str) -> Path:
        """Return a directory of the host's own."""
        return ROOT / host / "postgresql"

    def data_inside(self, host: str) -> str:
        """Return the same: there is one file system."""
        return str(self.data(host))

    def sockets(self, host: str) -> str:
        """Return a directory of the host's own."""
        return str(ROOT / host / "run")

    def start(self, host: str, service: str) -> None:
        """Start it as a child of an init of its own."""
        if not self._is_running(host, service):
            detach([str(ROOT / host / BOOT), service], console=ROOT / host / "console.log")

    def stop_server(self, host: str) -> None:
        """Ask pg_ctl."""
        self.inside(host, "pg_ctl", "stop", "-m", "fast", "-s")

    def kill(self, host: str, service: str) -> None:
        """Kill the process that its pid file names, and its children."""
        pid = self._pid(host, service)
        succeeds(["pkill", "--signal", "KILL", "--parent", pid])
        succeeds(["kill", "-KILL", pid])

    def keep_down(self, host: str) -> None:
        """Leave the file that pg_ctl heeds."""
        (ROOT / host / FENCED).touch()

    def is_kept_down(self, host: str) -> bool:
        """Look for that file."""
        return (ROOT / host / FENCED).exists()

    def has_booted(self, host: str) -> bool:
        """Look for its SSH server."""
        return self._is_running(host, "ssh")

    def _is_running(self, host: str, service: str) -> bool:
        if service == "postgresql":
            return bool(self.server_processes(host))
        pid = self._pid(host, service)
        return bool(pid) and str(ROOT) in _command(pid)

    def _pid(self, host: str, service: str) -> str:
        path = ROOT / host / _PID_FILES[service]
        return path.read_text(encoding="ascii").strip() if path.exists() else ""


def _command(pid: str) -> str:
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return ""
