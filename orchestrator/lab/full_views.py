"""What each host of the full lab has on its file system, and which services it starts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab import pgbouncer, postgresql, shop_service, sshd
from orchestrator.lab.credentials import Credentials
from orchestrator.lab.files import File, Link, Tree
from orchestrator.lab.hosts import HostView
from orchestrator.lab.network import addressing_of
from orchestrator.lab.runtime import Runtime
from orchestrator.lab.topology import CONTROLLER, FULL, Host, Role

POSTGRESQL_HOME = "/var/lib/postgresql"
CLUSTER = f"{POSTGRESQL_HOME}/15/main"
CONFIGURATION = "/etc/postgresql/15/main"
_UNITS = "/etc/systemd/system"
_SHOP_USER = "www-data"
_ENABLED = {
    Role.DATABASE: ("postgresql@15-main",),
    Role.POOLER: ("pgbouncer",),
    Role.APP: ("shop",),
    Role.ROUTER: (),
    Role.CLIENT: (),
}
# Units that a host out of namespaces cannot use, or that would reach the machine below it.
_MASKED = (
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-modules-load.service",
    "systemd-sysctl.service",
    "systemd-random-seed.service",
    "systemd-binfmt.service",
    "systemd-pstore.service",
    "systemd-logind.service",
    "kmod-static-nodes.service",
    "proc-sys-fs-binfmt_misc.automount",
    "dev-hugepages.mount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "getty.target",
    "console-getty.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "postgresql.service",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all hosts share: who may log in, the code they run, where their data lies."""

    credentials: Credentials
    runtime: Runtime
    root: Path
    home: Path


def services_of(host: Host) -> tuple[str, ...]:
    """Return the units of systemd that *host* is there for."""
    return _ENABLED[host.role]


def starts_of(host: Host) -> tuple[str, ...]:
    """Return those of them that start when *host* boots.

    No database: one that was given up and is switched on again would be a second primary.
    """
    return () if host.role is Role.DATABASE else services_of(host)


def members(root: Path) -> list[postgresql.Member]:
    """Return the servers of the PostgreSQL service, the primary first."""
    return [
        postgresql.Member(
            name=host.name,
            address=host.address,
            port=FULL.ports.postgresql,
            data=data_directory(host, root) / "15/main",
            owner="postgres",
        )
        for host in FULL.having(Role.DATABASE)
    ]


def data_directory(host: Host, root: Path) -> Path:
    """Return the directory of the machine that *host* has as its ``/var/lib/postgresql``."""
    return root / host.name / "postgresql"


def small_disk(name: str, root: Path) -> Path:
    """Return where the machine has the disk that the host *name* sees as ``/srv/small``."""
    return root / name / "small"


def view_of(host: Host, around: Surroundings) -> HostView:
    """Return what *host* is to see."""
    files = {**_system(host), **_logins(host, around.credentials), **_own_files(host, around)}
    is_database = host.role is Role.DATABASE
    needs_code = host.role in (Role.APP, Role.CLIENT)
    return HostView(
        files=files,
        network=addressing_of(host),
        data=str(data_directory(host, around.root)) if is_database else "",
        small=str(small_disk(host.name, around.root)) if is_database else "",
        shown=around.runtime.directories if needs_code else (),
        hidden=(str(around.root), str(around.home)),
    )


def _own_files(host: Host, around: Surroundings) -> Tree:
    match host.role:
        case Role.DATABASE:
            return _database(host)
        case Role.POOLER:
            return _pooler(around.credentials)
        case Role.APP:
            return _app(host, around)
        case Role.CLIENT:
            return {"/usr/local/bin/recover": File(around.runtime.command(), 0o755)}
        case Role.ROUTER:
            return {}


def _system(host: Host) -> Tree:
    names = "".join(f"{h.address} {h.name}\n" for h in FULL.hosts)
    tree: dict[str, File | Link] = {
        "/etc/hostname": File(f"{host.name}\n"),
        "/etc/hosts": File(f"127.0.0.1 localhost\n{names}{CONTROLLER} controller\n"),
        "/etc/resolv.conf": File(""),
        "/etc/fstab": File(""),
        "/etc/machine-id": File(f"{uuid.uuid4().hex}\n", 0o444),
        "/etc/systemd/journald.conf.d/lab.conf": File("[Journal]\nStorage=volatile\nAudit=no\n"),
        f"{_UNITS}/default.target": Link("/lib/systemd/system/multi-user.target"),
    }
    for unit in _MASKED:
        tree[f"{_UNITS}/{unit}"] = Link("/dev/null")
    for name in ("ssh", *starts_of(host)):
        template = f"{name.partition('@')[0]}@" if "@" in name else name
        tree[f"{_UNITS}/multi-user.target.wants/{name}.service"] = Link(
            f"/lib/systemd/system/{template}.service"
        )
    return tree


def _logins(host: Host, credentials: Credentials) -> Tree:
    key = credentials.host_keys[host.name]
    return {
        "/etc/ssh/sshd_config": File(
            sshd.configuration(
                listen="0.0.0.0",  # noqa: S104 - the host's own namespace has the lab's networks only
                port=FULL.ports.ssh,
                directory="/etc/ssh",
                extra=["SetEnv LANG=C.UTF-8"],
            )
        ),
        "/etc/ssh/ssh_host_ed25519_key": File(key.private, 0o600),
        "/etc/ssh/ssh_host_ed25519_key.pub": File(key.public),
        "/root/.ssh/authorized_keys": File(credentials.login.public, 0o600),
    }


def _database(host: Host) -> Tree:
    names = [member.name for member in FULL.having(Role.DATABASE)]
    main = f"""\
data_directory = '{CLUSTER}'
hba_file = '{CONFIGURATION}/pg_hba.conf'
ident_file = '{CONFIGURATION}/pg_ident.conf'
external_pid_file = '/run/postgresql/15-main.pid'
unix_socket_directories = '/run/postgresql'
listen_addresses = '*'
port = {FULL.ports.postgresql}
include_dir = 'conf.d'
"""
    texts = {
        "postgresql.conf": main,
        "conf.d/lab.conf": postgresql.settings(host.name, names, f"{POSTGRESQL_HOME}/archive"),
        "pg_hba.conf": postgresql.client_authentication(FULL.prefix),
        "pg_ident.conf": postgresql.peer_names("root", "postgres"),
        "start.conf": "manual\n",
        "environment": "",
    }
    return {
        f"{CONFIGURATION}/{name}": File(text, 0o640, "postgres") for name, text in texts.items()
    }


def _pooler(credentials: Credentials) -> Tree:
    primary = FULL.having(Role.DATABASE)[0]
    databases, userlist = "/etc/pgbouncer/databases.ini", "/etc/pgbouncer/userlist.txt"
    return {
        "/etc/pgbouncer/pgbouncer.ini": File(
            pgbouncer.configuration(
                listen="*",
                port=FULL.ports.pgbouncer,
                databases=databases,
                userlist=userlist,
                pidfile="/run/pgbouncer/pgbouncer.pid",
            )
        ),
        f"{_UNITS}/pgbouncer.service.d/lab.conf": File("[Service]\nRuntimeDirectory=pgbouncer\n"),
        databases: File(
            pgbouncer.databases(primary.address, FULL.ports.postgresql, postgresql.SHOP_DATABASE)
        ),
        userlist: File(pgbouncer.userlist(credentials.passwords), 0o640, "postgres"),
    }


def _app(host: Host, around: Surroundings) -> Tree:
    pooler = FULL.having(Role.POOLER)[0]
    user = around.runtime.user(_SHOP_USER, parents_open=True)
    configuration = shop_service.configuration(
        host,
        listen="0.0.0.0",  # noqa: S104 - as above
        port=FULL.ports.shop,
        pooler=(pooler.address, FULL.ports.pgbouncer),
        passwords=around.credentials.passwords,
    )
    return {
        "/etc/shop.json": File(configuration, 0o600, user),
        "/usr/lib/systemd/system/shop.service": File(
            shop_service.unit(around.runtime, user=user, configuration="/etc/shop.json")
        ),
    }
