"""The lab as tests use it: log in to hosts, talk to its services, look at the machine below."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg

from orchestrator.lab.login import ssh_command
from orchestrator.lab.topology import Blueprint, Host
from tests.support import waiting

TIME_LIMIT_S = 60.0
T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parents[2]


def state_directory() -> Path:
    """Return where the tests keep state, shared by all suites that use the lab."""
    return Path(os.environ.get("RECOVER_STATE") or REPOSITORY / "build" / "test-state").absolute()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A lab that is up, with the keys to it."""

    blueprint: Blueprint
    home: Path

    def host(self, name: str) -> Host:
        return next(host for host in self.blueprint.hosts if host.name == name)

    def ssh(self, name: str, command: str, *, home: Path | None = None) -> str:
        done = self.try_ssh(name, command, home=home)
        assert done.returncode == 0, f"{name}: {command}: {done.stderr}"
        return done.stdout.strip()

    def try_ssh(
        self, name: str, command: str, *, home: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        argv = [*ssh_command(self.blueprint, home or self.home, name), command]
        return subprocess.run(
            argv, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False
        )

    def secret(self, name: str) -> str:
        return (self.home / "secrets" / name).read_text(encoding="ascii")

    def connect(
        self, name: str, *, user: str, database: str = "shop", pooled: bool = False
    ) -> psycopg.Connection[tuple[object, ...]]:
        ports = self.blueprint.ports
        return psycopg.connect(
            host=self.host(name).management,
            port=ports.pgbouncer if pooled else ports.postgresql,
            user=user,
            password=self.secret(user),
            dbname=database,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=5,
        )


def wait_until(look: Callable[[], T], what: str) -> T:
    """Wait as `waiting.wait_until` does, for what hosts need a minute for."""
    return waiting.wait_until(look, what, within_s=TIME_LIMIT_S)


def machine() -> dict[str, frozenset[str]]:
    """Return everything of this machine that a lab may leave behind."""
    return {
        "namespaces": _lines(["ip", "netns", "list"]),
        "links": _lines(["ip", "-brief", "link"]),
        "routes": _lines(["ip", "route", "show", "table", "all"]),
        "mounts": frozenset(Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()),
        "cgroups": frozenset(str(path) for path in Path("/sys/fs/cgroup").rglob("recover-lab*")),
        "processes": frozenset(_lab_processes()),
        "files": frozenset(str(path) for path in Path("/var/tmp").glob("recover-lab*")),
    }


def _lab_processes() -> list[str]:
    """Find what runs in other namespaces than ours or mentions the lab.

    The dead that nobody has reaped yet are the business of this machine's PID 1.
    """
    ours = Path("/proc/self/ns/pid").readlink()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            foreign = (place / "ns" / "pid").readlink() != ours
        except OSError:
            continue
        if command and (foreign or "/recover-lab/" in command or "loopback_init" in command):
            found.append(f"{place.name} {command}")
    return found


def _lines(argv: Sequence[str]) -> frozenset[str]:
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return frozenset(line.strip() for line in done.stdout.splitlines())
