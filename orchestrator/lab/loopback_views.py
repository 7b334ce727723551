"""What each host of the loopback lab has in its directory, and how its services are started."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab import loopback_init, pgbouncer, postgresql, shop_service, sshd
from orchestrator.lab.credentials import Credentials
from orchestrator.lab.files import File, Tree
from orchestrator.lab.record import BOOT, INSIDE
from orchestrator.lab.runtime import Runtime
from orchestrator.lab.topology import LOOPBACK, Host, Role
from orchestrator.lab.users import argv_as, current_user, is_root

# Carried by every process of the lab's hosts, so that `down` knows them.
MARK = "RECOVER_LAB"
INIT_MARK = "RECOVER_LAB_INIT=yes"
_PATH = f"{postgresql.BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# As long as it is in the host's directory, nothing starts the host's database.
DATABASE = "postgresql"
FENCED = "fenced"
_NO_START = """\
if [ "$1" = start ] && [ -e {0} ]; then
    echo "pg_ctl: fenced: {0} is there" >&2
    exit 1
fi
"""
_SHOP_USER = "www-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all hosts share: who may log in, the code they run, where their directories are."""

    credentials: Credentials
    runtime: Runtime
    root: Path

    def directory(self, host: Host) -> Path:
        """Return the directory that is *host*'s own."""
        return self.root / host.name


def service_user() -> str:
    """Return who runs PostgreSQL and PgBouncer, which both refuse to run as root."""
    return "postgres" if is_root() else current_user()


def shop_user(runtime: Runtime) -> str:
    """Return who runs the shop."""
    return runtime.user(_SHOP_USER, parents_open=False) if is_root() else current_user()


def member(host: Host, around: Surroundings) -> postgresql.Member:
    """Return the server of the PostgreSQL service on *host*."""
    directory = around.directory(host)
    return postgresql.Member(
        name=host.name,
        address=host.address,
        port=LOOPBACK.ports.postgresql,
        data=directory / "postgresql",
        owner=service_user(),
    )


def init_environment(host: Host, around: Surroundings) -> dict[str, str]:
    """Return the environment of what starts and reaps the processes of *host*."""
    name, value = INIT_MARK.split("=")
    return {
        MARK: str(around.root),
        name: value,
        "HOME": str(around.directory(host)),
        "PATH": _PATH,
        **around.runtime.environment(),
    }


def environment_of(host: Host, around: Surroundings) -> dict[str, str]:
    """Return what every process on *host* has in its environment."""
    directory = around.directory(host)
    return {
        MARK: str(around.root),
        # Not the user's own: a .bashrc there would cost each command a shell's start-up.
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "PATH": f"{directory}/bin:{_PATH}",
        "PGDATA": str(directory / "postgresql"),
    }


def view_of(host: Host, around: Surroundings) -> Tree:
    """Return the files of *host*, by their paths below its directory."""
    return {
        **_logins(host, around),
        **_own_files(host, around),
        BOOT: File(_boot(host, around), 0o700),
        INSIDE: File(_inside(host, around), 0o700),
        **_orders(host, around),
    }


def _boot(host: Host, around: Surroundings) -> str:
    """Return what starts the services of *host*, or only the one that it is told by name."""
    init = init_environment(host, around)
    python = [around.runtime.interpreter, "-P", "-m", loopback_init.__name__]
    orders = shlex.quote(str(around.directory(host) / "start"))
    return f'#!/bin/sh\nexec {_in_environment(init, python)} < {orders}/"${{1:-boot}}.json"\n'


def _inside(host: Host, around: Surroundings) -> str:
    return f'#!/bin/sh\nexec {_in_environment(environment_of(host, around), [])} "$@"\n'


def _orders(host: Host, around: Surroundings) -> Tree:
    """Return what is to be started on *host*, for its init: at boot, and each by itself.

    No database starts at boot: one that was given up would be a second primary.
    """
    environment = environment_of(host, around)
    services = {
        name: loopback_init.Service(
            argv=argv,
            environment=environment,
            console=str(around.directory(host) / "console.log"),
        )
        for name, argv in _services(host, around).items()
    }
    at_boot = [service for name, service in services.items() if name != DATABASE]
    orders = {"boot": at_boot, **{name: [service] for name, service in services.items()}}
    return {
        f"start/{name}.json": File(loopback_init.order_of(order)) for name, order in orders.items()
    }


def _in_environment(environment: Mapping[str, str], argv: Sequence[str]) -> str:
    variables = [f"{name}={value}" for name, value in environment.items()]
    return shlex.join(["env", "-i", *variables, *argv])


def _services(host: Host, around: Surroundings) -> dict[str, list[str]]:
    """Return what starts each service of *host*, by name."""
    directory = around.directory(host)
    services = {"ssh": ["/usr/sbin/sshd", "-f", str(directory / "sshd_config")]}
    match host.role:
        case Role.DATABASE:
            pg_ctl = str(directory / "bin/pg_ctl")
            services[DATABASE] = [pg_ctl, "start", "-w", "-s", "-l", "log"]
        case Role.POOLER:
            services["pgbouncer"] = [
                f"{directory}/bin/pgbouncer",
                "-d",
                f"{directory}/pgbouncer.ini",
            ]
        case Role.APP:
            services["shop"] = _shop(around.runtime, f"{directory}/shop.json")
        case Role.ROUTER | Role.CLIENT:
            pass
    return services


def _shop(runtime: Runtime, configuration: str) -> list[str]:
    python = [runtime.interpreter, "-P", "-m", "orchestrator.lab.shop", configuration]
    variables = [f"{name}={value}" for name, value in runtime.environment().items()]
    return argv_as(shop_user(runtime), ["env", *variables, *python], mortal=False)


def _own_files(host: Host, around: Surroundings) -> Tree:
    match host.role:
        case Role.DATABASE:
            return _database(host, around)
        case Role.POOLER:
            return _pooler(host, around)
        case Role.APP:
            return _app(host, around)
        case _:
            return {"bin/recover": File(around.runtime.command(), 0o755)}


def _logins(host: Host, around: Surroundings) -> Tree:
    directory = around.directory(host)
    key = around.credentials.host_keys[host.name]
    variables = " ".join(f"{k}={v}" for k, v in environment_of(host, around).items())
    extra = [
        f"AuthorizedKeysFile {directory}/authorized_keys",
        f"PidFile {directory}/sshd.pid",
        # The directory is checked by us; sshd would also want /var/tmp closed to others.
        "StrictModes no",
        f"SetEnv {variables}",
    ]
    text = sshd.configuration(
        listen=host.management,
        port=LOOPBACK.ports.ssh,
        directory=str(directory),
        pam=is_root() and _is_locked(),
        extra=extra,
    )
    return {
        "sshd_config": File(text),
        "ssh_host_ed25519_key": File(key.private, 0o600),
        "authorized_keys": File(around.credentials.login.public, 0o600),
    }


def _is_locked() -> bool:
    """Tell whether root's password is locked: without PAM, sshd then lets nobody in as root."""
    shadow = Path("/etc/shadow").read_text(encoding="utf-8")
    return any(line.startswith("root:!") for line in shadow.splitlines())


def _database(host: Host, around: Surroundings) -> Tree:
    directory, owner = around.directory(host), service_user()
    configuration = f"{directory}/postgresql.conf"
    main = f"""\
data_directory = '{directory}/postgresql'
hba_file = '{directory}/pg_hba.conf'
ident_file = '{directory}/pg_ident.conf'
unix_socket_directories = '{directory}/run'
listen_addresses = '{host.address}'
port = {LOOPBACK.ports.postgresql}
"""
    names = [database.name for database in LOOPBACK.having(Role.DATABASE)]
    texts = {
        "postgresql.conf": main
        + postgresql.settings(host.name, names, str(directory / "archive")),
        "pg_hba.conf": postgresql.client_authentication(LOOPBACK.prefix),
        "pg_ident.conf": postgresql.peer_names(current_user(), owner),
        ".pgpass": postgresql.passfile(
            LOOPBACK.ports.postgresql, around.credentials.passwords["replicator"]
        ),
    }
    # The settings stay outside the data, as on Debian: a rewind must not bring those of another.
    start = [f"{postgresql.BIN}/pg_ctl", "-o", f"-c config_file={configuration}"]
    return {
        **{name: File(text, 0o600, owner) for name, text in texts.items()},
        "bin/pg_ctl": _wrapper(
            start, directory / "log", guard=_NO_START.format(directory / FENCED)
        ),
        "bin/as-owner": _wrapper(["env"], directory / "log"),
        "bin/pg_controldata": _wrapper([f"{postgresql.BIN}/pg_controldata"], directory / "log"),
    }


def _wrapper(argv: list[str], workplace: Path, *, guard: str = "") -> File:
    """Return a script that runs *argv* as its service's user, from where it may write."""
    command = shlex.join(argv_as(service_user(), argv, mortal=False))
    return File(f'#!/bin/sh\n{guard}cd {workplace} && exec {command} "$@"\n', 0o755)


def _pooler(host: Host, around: Surroundings) -> Tree:
    directory, primary = around.directory(host), LOOPBACK.having(Role.DATABASE)[0]
    databases, userlist = str(directory / "databases.ini"), str(directory / "userlist.txt")
    text = pgbouncer.configuration(
        listen=host.address,
        port=LOOPBACK.ports.pgbouncer,
        databases=databases,
        userlist=userlist,
        pidfile=f"{directory}/run/pgbouncer.pid",
        logfile=f"{directory}/log/log",
    )
    target = pgbouncer.databases(
        primary.address, LOOPBACK.ports.postgresql, postgresql.SHOP_DATABASE
    )
    return {
        "pgbouncer.ini": File(text),
        "databases.ini": File(target),
        "userlist.txt": File(
            pgbouncer.userlist(around.credentials.passwords), 0o600, service_user()
        ),
        "bin/pgbouncer": _wrapper(["/usr/sbin/pgbouncer"], directory / "log"),
    }


def _app(host: Host, around: Surroundings) -> Tree:
    pooler = LOOPBACK.having(Role.POOLER)[0]
    text = shop_service.configuration(
        host,
        listen=host.address,
        port=LOOPBACK.ports.shop,
        pooler=(pooler.address, LOOPBACK.ports.pgbouncer),
        passwords=around.credentials.passwords,
    )
    return {"shop.json": File(text, 0o600, shop_user(around.runtime))}
