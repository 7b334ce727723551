"""The loopback lab: hosts as addresses of 127.0.0.0/8 and processes of the current user.

It needs no privileges, so it has no routers and no links, and its hosts share one file system.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from orchestrator.lab import postgresql
from orchestrator.lab.commands import detach
from orchestrator.lab.credentials import make_credentials
from orchestrator.lab.fence_agent import install_agent
from orchestrator.lab.files import give, write_tree
from orchestrator.lab.looking import look
from orchestrator.lab.loopback_views import (
    DATABASE,
    INIT_MARK,
    MARK,
    Surroundings,
    member,
    service_user,
    view_of,
)
from orchestrator.lab.processes import kill_all
from orchestrator.lab.readiness import wait_for
from orchestrator.lab.record import BOOT, ROOT
from orchestrator.lab.runtime import current_runtime
from orchestrator.lab.topology import LOOPBACK, Host, Role
from orchestrator.lab.users import is_root

_PID_FILES = ("*/sshd.pid", "*/postgresql/postmaster.pid", "*/run/pgbouncer.pid")


def build(home: Path, say: Callable[[str], None]) -> None:
    """Start every host, and wait until everything answers."""
    began = time.monotonic()
    credentials = make_credentials(LOOPBACK, home)
    install_agent(LOOPBACK, home, credentials.passwords["fence"])
    around = Surroundings(credentials=credentials, runtime=current_runtime(), root=ROOT)
    for host in LOOPBACK.hosts:
        _prepare(host, around)
    databases = LOOPBACK.having(Role.DATABASE)
    postgresql.build_members([member(h, around) for h in databases], around.credentials.passwords)
    if is_root():
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for host in LOOPBACK.hosts:
        directory = around.directory(host)
        detach([str(directory / BOOT)], console=directory / "console.log")
        if host.role is Role.DATABASE:
            detach([str(directory / BOOT), DATABASE], console=directory / "start.log")
    wait_for(lambda: look(LOOPBACK, home).silent, consoles=ROOT)
    say(f"hosts up ({len(LOOPBACK.hosts)}) {time.monotonic() - began:.1f} s")
    wait_for(lambda: look(LOOPBACK, home).problems, consoles=ROOT)
    say(f"database, pooler and shops answer {time.monotonic() - began:.1f} s")


def is_alive() -> bool:
    """Tell whether anything of the hosts still runs."""
    return bool(_pids())


def remove() -> None:
    """Kill every process of every host, and then what reaps them."""
    kill_all(lambda: {pid for pid in _pids() if not _has(pid, INIT_MARK)})
    kill_all(_pids)


def _prepare(host: Host, around: Surroundings) -> None:
    directory = around.directory(host)
    for name in ("bin", "log", "run", "archive"):
        (directory / name).mkdir(parents=True)
    write_tree(directory, view_of(host, around))
    if is_root():
        for name in ("log", "run", "archive"):
            give(directory / name, service_user())


def _pids() -> set[int]:
    """Find the processes of the hosts: by mark, by pid file, and all that descend from them."""
    parents = dict(_parents())
    found = {pid for pid in parents if _has(pid, f"{MARK}={ROOT}")} | set(_recorded())
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _parents() -> Iterator[tuple[int, int]]:
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        state, parent = fields.rpartition(")")[2].split()[:2]
        if state != "Z":
            yield int(place.name), int(parent)


def _has(pid: int, variable: str) -> bool:
    return variable.encode() in _read(pid, "environ").split(b"\0")


def _recorded() -> Iterator[int]:
    """Find those whose title has overwritten their environment, as sshd's does."""
    for pattern in _PID_FILES:
        for path in ROOT.glob(pattern):
            # It may be empty still, or the number somebody else's by now.
            for number in path.read_text(encoding="ascii").split()[:1]:
                if str(ROOT).encode() in _read(int(number), "cmdline"):
                    yield int(number)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
