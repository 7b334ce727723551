"""The full lab: real hosts out of namespaces, with systemd, networks, routers and links."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestrator.lab import hosts, network, postgresql
from orchestrator.lab.commands import run
from orchestrator.lab.credentials import Credentials, make_credentials
from orchestrator.lab.errors import HostNotReady
from orchestrator.lab.fence_agent import install_agent
from orchestrator.lab.files import File, give, write_file
from orchestrator.lab.full_views import (
    Surroundings,
    data_directory,
    members,
    services_of,
    view_of,
)
from orchestrator.lab.login import ssh_command
from orchestrator.lab.looking import look
from orchestrator.lab.readiness import last_words, wait_for
from orchestrator.lab.record import ROOT
from orchestrator.lab.runtime import current_runtime
from orchestrator.lab.status import LabStatus
from orchestrator.lab.topology import FULL, Host, Role


def build(home: Path, say: Callable[[str], None]) -> None:
    """Build every host on a machine that has none, and wait until everything answers."""
    began = time.monotonic()
    network.build_networks()
    credentials = make_credentials(FULL, home)
    install_agent(FULL, home, credentials.passwords["fence"])
    around = Surroundings(credentials=credentials, runtime=current_runtime(), root=ROOT, home=home)
    with ThreadPoolExecutor(1) as beside:
        databases = beside.submit(_build_databases, around.credentials)
        _start([host for host in FULL.hosts if host.role is not Role.DATABASE], around)
        databases.result()
    _start(FULL.having(Role.DATABASE), around)
    wait_for(lambda: _look(home).silent, consoles=ROOT)
    say(f"hosts up ({len(FULL.hosts)}) {time.monotonic() - began:.1f} s")
    _start_services(home)
    wait_for(lambda: _look(home).problems, consoles=ROOT)
    say(f"database, pooler and shops answer {time.monotonic() - began:.1f} s")


def is_alive() -> bool:
    """Tell whether anything of the hosts still runs."""
    return hosts.are_alive()


def remove() -> None:
    """Remove every host, disk and network, however far :func:`build` got."""
    hosts.kill_hosts()
    hosts.unmount_disks()
    network.remove_networks()


def _start(which: tuple[Host, ...] | list[Host], around: Surroundings) -> None:
    for host in which:
        hosts.start_host(host.name, view_of(host, around), ROOT / host.name)


def _look(home: Path) -> LabStatus:
    """Look at everything, and give up at once on a host that died saying why."""
    words = last_words(ROOT)
    for name in hosts.dead_hosts(words):
        raise HostNotReady(f"{name} did not boot: {words[name]}")
    return look(FULL, home)


def _start_services(home: Path) -> None:
    """Start what does not start by itself, and wait until systemd calls every service started.

    A database answers seconds before that, and if it were stopped meanwhile, as a recovery may,
    the start would still be going on and fail.
    """
    jobs = [
        [*ssh_command(FULL, home, host.name), "systemctl", "start", service]
        for host in FULL.hosts
        for service in services_of(host)
    ]
    with ThreadPoolExecutor(len(jobs)) as beside:
        list(beside.map(run, jobs))


def _build_databases(credentials: Credentials) -> None:
    password = credentials.passwords["replicator"]
    for host in FULL.having(Role.DATABASE):
        directory = data_directory(host, ROOT)
        (directory / "archive").mkdir(parents=True)
        for path in (directory, directory / "archive"):
            give(path, "postgres")
        passfile = postgresql.passfile(FULL.ports.postgresql, password)
        write_file(directory / ".pgpass", File(passfile, 0o600, "postgres"))
    postgresql.build_members(members(ROOT), credentials.passwords)
