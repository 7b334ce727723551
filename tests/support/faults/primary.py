"""Faults of the primary, and of the members as a whole."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from tempfile import TemporaryDirectory

from tests.support.faults.fault import Seen, fault_of_the_lab
from tests.support.lab import wait_until
from tests.support.orders_db import DATA, MEMBERS, OrdersDb

_AS_POSTGRES = "setpriv --reuid=postgres --regid=postgres --init-groups"
_BIN = "/usr/lib/postgresql/15/bin"
_MAKE_STRANGER = f"""
set -e
install -d -o postgres -g postgres -m 700 {DATA}
{_AS_POSTGRES} {_BIN}/initdb -D {DATA} -U postgres -E UTF8 --locale=C.UTF-8 --no-sync > /dev/null
{_AS_POSTGRES} {_BIN}/postgres --single -j -D {DATA} postgres"""
_MAKE_STANDBY = f"{_AS_POSTGRES} touch {DATA}/standby.signal"
_BACKUP = "select count(*) = 1 from pg_stat_progress_basebackup"


@contextmanager
def a_transaction_is_prepared(db: OrdersDb) -> Iterator[Seen]:
    primary = db.primary
    with db.lab.connect(primary, user="recover") as session:
        session.execute("begin")
        session.execute("insert into recover_marker (run, seq) values ('prepared', 1)")
        session.execute("prepare transaction 'forgotten'")
    try:
        yield lambda: db.says(primary, "select count(*) = 1 from pg_prepared_xacts")
    finally:
        db.ask(primary, "rollback prepared 'forgotten'")


@contextmanager
def a_transaction_is_old(db: OrdersDb) -> Iterator[Seen]:
    """Leave a transaction open for more than a second, past the pooler."""
    primary = db.primary
    query = """
        select count(*) = 1 from pg_stat_activity where state = 'idle in transaction'
        and usename = 'shop' and xact_start < clock_timestamp() - interval '1 s'
    """
    with db.lab.connect(primary, user="shop") as session:
        session.execute("begin")
        session.execute("select 1")
        wait_until(lambda: db.says(primary, query), "an old transaction")
        yield lambda: db.says(primary, query)


@contextmanager
def a_base_backup_runs(db: OrdersDb) -> Iterator[Seen]:
    """Take one as slowly as the program lets us."""
    primary, lab = db.primary, db.lab
    with TemporaryDirectory() as folder:
        argv = [f"{_BIN}/pg_basebackup", "-h", lab.host(primary).management, "-U", "replicator"]
        argv += ["-D", f"{folder}/copy", "--max-rate=32k", "--checkpoint=fast", "-X", "none"]
        with subprocess.Popen(
            argv, env=os.environ | {"PGPASSWORD": lab.secret("replicator")}, stderr=subprocess.PIPE
        ) as backup:
            try:
                wait_until(lambda: db.says(primary, _BACKUP), "a base backup")
                yield lambda: db.says(primary, _BACKUP)
            finally:
                backup.terminate()
                backup.communicate()
    wait_until(lambda: not db.says(primary, _BACKUP), "no base backup")


@contextmanager
def the_primary_has_higher_limits(db: OrdersDb) -> Iterator[Seen]:
    """Raise a limit on the primary alone; PostgreSQL then stops replay on the standbys."""
    primary, standbys = db.primary, [db.target, db.bystander]
    db.ask(primary, "alter system set max_connections = 120")
    db.control(primary, "restart")
    paused = "select pg_is_wal_replay_paused()"
    wait_until(lambda: db.says(db.target, paused), "a target with too low limits")
    try:
        yield lambda: db.says(primary, "select current_setting('max_connections') = '120'")
    finally:
        # A standby gets past the higher limit only with the higher limit.
        for standby in standbys:
            db.ask(standby, "alter system set max_connections = 120")
        db.control_all(standbys, "restart")
        db.ask(primary, "alter system reset max_connections")
        db.control(primary, "restart")
        for standby in standbys:
            _await_replay(db, primary, standby)
            db.ask(standby, "alter system reset max_connections")
        db.control_all(standbys, "restart")


@contextmanager
def a_stranger_is_among_the_members(db: OrdersDb) -> Iterator[Seen]:
    """Put a standby of another cluster in the place of the one that is not the target."""
    lab, stranger, primary = db.lab, db.bystander, db.primary
    roles = f"""
create role recover superuser login password '{lab.secret("recover")}';

create role recover_reader login password '{lab.secret("recover_reader")}' in role pg_monitor;

create database shop;

"""
    with _other_data(db, stranger, keep="mv"):
        lab.ssh(stranger, f"{_MAKE_STRANGER} <<'END'{roles}END\n{_MAKE_STANDBY}")
        db.control(stranger, "start")
        query = "select system_identifier from pg_control_system()"
        yield lambda: db.ask(stranger, query) != db.ask(primary, query)


@contextmanager
def two_members_take_writes(db: OrdersDb) -> Iterator[Seen]:
    """Let the standby that is not the target forget that it is one."""
    other = db.bystander
    with _other_data(db, other, keep="cp -a"):
        db.lab.ssh(other, f"rm {DATA}/standby.signal")
        db.control(other, "start")
        query = "select not pg_is_in_recovery()"
        yield lambda: [db.says(member, query) for member in MEMBERS].count(True) == 2


def the_primary_hangs(db: OrdersDb) -> AbstractContextManager[Seen]:
    """Freeze every process of it; its address still accepts connections."""
    return fault_of_the_lab(db, "primary-frozen", db.primary)


@contextmanager
def _other_data(db: OrdersDb, member: str, *, keep: str) -> Iterator[None]:
    """Stop *member*, keep its data aside by *keep*, and put them back at the end."""
    aside = f"{DATA}.aside"
    db.control(member, "stop")
    db.lab.ssh(member, f"{keep} {DATA} {aside}")
    try:
        yield
    finally:
        db.control(member, "stop")
        db.lab.ssh(member, f"rm -rf {DATA} && mv {aside} {DATA}")
        db.control(member, "start")


def _await_replay(db: OrdersDb, primary: str, standby: str) -> None:
    [(position,)] = db.ask(primary, "select pg_current_wal_lsn()")
    query = "select pg_last_wal_replay_lsn() >= %s::pg_lsn"
    wait_until(lambda: db.says(standby, query, position), f"{standby} past the new limits")
