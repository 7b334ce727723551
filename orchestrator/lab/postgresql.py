"""The PostgreSQL service of the lab: its settings, its roles, and its members' data."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.commands import run
from orchestrator.lab.files import File, give, write_file
from orchestrator.lab.users import argv_as

BIN = "/usr/lib/postgresql/15/bin"
SHOP_DATABASE = "shop"
WAL_SEGMENT_MB = 1
"""A server that archives fills its last segment up when it stops, sends it and archives it; with
16 MB that takes longer than the whole rest of a switchover on a small machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One server of the service.

    Attributes:
        name: Of its host; also its ``cluster_name`` and ``application_name``.
        data: Its data directory as seen from this machine.
        owner: The user of this machine whom its files belong to.
    """

    name: str
    address: str
    port: int
    data: Path
    owner: str


def slot_of(name: str) -> str:
    """Return the replication slot of the host *name*; slots may not have dashes."""
    return name.replace("-", "_")


def settings(name: str, members: Iterable[str], archive: str) -> str:
    """Return the settings that every member has, whatever its role at the moment."""
    standbys = ", ".join(f'"{member}"' for member in members)
    return f"""\
cluster_name = '{name}'
synchronous_standby_names = 'ANY 1 ({standbys})'
wal_level = replica
wal_log_hints = on
wal_keep_size = 256MB
wal_receiver_status_interval = 1s
wal_sender_timeout = 10s
wal_receiver_timeout = 10s
wal_retrieve_retry_interval = 100ms
max_prepared_transactions = 10
max_connections = 100
shared_buffers = 64MB
hot_standby_feedback = off
archive_mode = on
archive_command = 'cp %p {archive}/%f.part && mv {archive}/%f.part {archive}/%f'
checkpoint_timeout = 1min
max_wal_size = 256MB
log_min_messages = warning
log_checkpoints = off
jit = off
timezone = 'Etc/UTC'
log_timezone = 'Etc/UTC'
"""


def client_authentication(prefix: str) -> str:
    """Return a pg_hba.conf that trusts nobody: peers by name, *prefix* by password."""
    return f"""\
local all postgres peer map=lab
local all all peer
host all all {prefix} scram-sha-256
host replication replicator {prefix} scram-sha-256
"""


def peer_names(*users: str) -> str:
    """Return a pg_ident.conf that lets *users* of the host act as the role postgres."""
    return "".join(f"lab {user} postgres\n" for user in dict.fromkeys(users))


def passfile(port: int, password: str) -> str:
    """Return a .pgpass, for the server's home, to replicate from any member."""
    return f"*:{port}:*:replicator:{password}\n"


def build_members(members: Sequence[Member], passwords: Mapping[str, str]) -> None:
    """Make the data of a primary, the first member, and of its standbys, all stopped.

    The standbys are copies of the cleanly stopped primary, so that all stream from the
    moment they are started, in whatever order.
    """
    for member in members:
        _make_directory(member)
    primary, *standbys = members
    _initialise(primary)
    _execute(primary, "postgres", _service_sql(passwords, (s.name for s in standbys)))
    _execute(primary, SHOP_DATABASE, _MARKER_SQL)
    for standby in standbys:
        _copy_as_standby(primary, standby)


def _make_directory(member: Member) -> None:
    member.data.parent.mkdir(parents=True, exist_ok=True)
    member.data.mkdir(mode=0o700)
    give(member.data, member.owner)


def _initialise(member: Member) -> None:
    argv = [f"{BIN}/initdb", "-D", str(member.data), "-U", "postgres", "--data-checksums"]
    argv += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync", f"--wal-segsize={WAL_SEGMENT_MB}"]
    argv += ["--auth-local=peer", "--auth-host=scram-sha-256"]
    run(argv_as(member.owner, argv))


def _execute(member: Member, database: str, statements: Sequence[str]) -> None:
    """Run *statements* in a stopped server.

    Single-user mode needs no port and ends with its input, so a killed `up` leaves no server.
    """
    argv = [f"{BIN}/postgres", "--single", "-j", "-D", str(member.data)]
    argv += ["-c", "exit_on_error=on", "-c", "log_min_messages=error", database]
    run(argv_as(member.owner, argv), stdin="".join(f"{sql};\n\n" for sql in statements))


def _service_sql(passwords: Mapping[str, str], standbys: Iterable[str]) -> list[str]:
    def role(name: str, options: str = "") -> str:
        return f"CREATE ROLE {name} LOGIN {options} PASSWORD '{passwords[name]}'"

    slots = [f"SELECT pg_create_physical_replication_slot('{slot_of(n)}', true)" for n in standbys]
    return [
        role("recover", "SUPERUSER"),
        role("recover_reader"),
        "GRANT pg_monitor TO recover_reader",
        role("replicator", "REPLICATION"),
        *(f"GRANT EXECUTE ON FUNCTION pg_catalog.{name} TO replicator" for name in _FOR_REWIND),
        role("canary"),
        role("shop"),
        f"CREATE DATABASE {SHOP_DATABASE} OWNER shop",
        *slots,
    ]


# What a rewind calls on the server that it follows.
# Source: the manual of pg_rewind, "Notes".
_FOR_REWIND = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
)

# No unique constraint: a write that was repeated has to show as a duplicate.
_MARKER_SQL = (
    "CREATE TABLE recover_marker (run text NOT NULL, seq bigint NOT NULL,"
    " at timestamptz NOT NULL DEFAULT clock_timestamp())",
    "CREATE INDEX ON recover_marker (run, seq)",
    "ALTER TABLE recover_marker OWNER TO canary",
    "GRANT SELECT ON recover_marker TO recover_reader",
)


def _copy_as_standby(primary: Member, standby: Member) -> None:
    run(["cp", "-a", "--reflink=auto", f"{primary.data}/.", str(standby.data)])
    for slot in (standby.data / "pg_replslot").iterdir():
        shutil.rmtree(slot)
    write_file(standby.data / "standby.signal", File("", 0o600, standby.owner))
    follow = _following(primary, standby)
    write_file(standby.data / "postgresql.auto.conf", File(follow, 0o600, standby.owner))


def _following(primary: Member, standby: Member) -> str:
    return f"""\
primary_conninfo = 'host={primary.address} port={primary.port} user=replicator \
application_name={standby.name}'
primary_slot_name = '{slot_of(standby.name)}'
"""
