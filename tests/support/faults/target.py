"""Faults of the standby that is to take over, or of its ties to the primary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.support.faults.fault import Seen, fault_of_the_lab
from tests.support.lab import wait_until
from tests.support.orders_db import DATA, OrdersDb

_STREAMS = "select count(*) = 1 from pg_stat_wal_receiver where status = 'streaming'"
_LAG_BYTES = """
    select pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) from pg_stat_replication
    where application_name = %s and state = 'streaming'
"""
_WRITE_20_MIB = """
    select pg_logical_emit_message(false, 'lag', repeat('x', 1024 * 1024))
    from generate_series(1, 20)
"""
_SILENT_S = """
    select extract(epoch from now() - last_msg_receipt_time) from pg_stat_wal_receiver
    where status = 'streaming'
"""
_CONTROL_FILES = "/usr/share/postgresql/15/extension"


def replay_is_paused(db: OrdersDb) -> AbstractContextManager[Seen]:
    return fault_of_the_lab(db, "replay-paused", db.target)


@contextmanager
def replay_is_delayed(db: OrdersDb) -> Iterator[Seen]:
    target = db.target
    db.configure(target, "recovery_min_apply_delay", "5min")
    query = "select current_setting('recovery_min_apply_delay') = '5min'"
    try:
        yield lambda: db.says(target, query)
    finally:
        db.reset(target, "recovery_min_apply_delay")
        wait_until(lambda: not db.says(target, query), "replay without delay")


@contextmanager
def target_does_not_stream(db: OrdersDb) -> Iterator[Seen]:
    """Send its receiver to an address where nobody listens."""
    target = db.target
    [(good,)] = db.ask(target, "select current_setting('primary_conninfo')")
    db.configure(target, "primary_conninfo", "host=127.0.0.1 port=1 user=nobody")
    wait_until(lambda: not db.says(target, _STREAMS), "a target that does not stream")
    try:
        yield lambda: not db.says(target, _STREAMS)
    finally:
        db.configure(target, "primary_conninfo", str(good))


@contextmanager
def target_is_asynchronous(db: OrdersDb) -> Iterator[Seen]:
    """Let commits wait for the other standby alone."""
    primary, target = db.primary, db.target
    query = "select sync_state = 'async' from pg_stat_replication where application_name = %s"
    db.configure(primary, "synchronous_standby_names", f'ANY 1 ("{db.bystander}")')
    wait_until(lambda: db.says(primary, query, target), "an asynchronous target")
    try:
        yield lambda: db.says(primary, query, target)
    finally:
        db.reset(primary, "synchronous_standby_names")
        wait_until(lambda: not db.says(primary, query, target), "a synchronous target")


@contextmanager
def target_lags(db: OrdersDb) -> Iterator[Seen]:
    """Freeze the process that replays, and write more than may be missing."""
    primary, target = db.primary, db.target
    db.signal(target, "STOP", "startup recovering")
    db.ask(primary, _WRITE_20_MIB)
    db.ask(primary, "select pg_switch_wal()")

    def lags() -> bool:
        rows = db.ask(primary, _LAG_BYTES, target)
        return bool(rows) and int(str(rows[0][0])) > 16 * 1024**2

    wait_until(lags, "a target that streams and lags")
    try:
        yield lags
    finally:
        db.signal(target, "CONT", "startup recovering")
        wait_until(lambda: not lags(), "a target that has caught up")


@contextmanager
def replay_is_frozen(db: OrdersDb) -> Iterator[Seen]:
    """Freeze the process that replays; what is sent is still received and confirmed."""
    target = db.target
    state = "ps -o stat= $(pgrep --full '^postgres: .*startup recovering')"
    db.signal(target, "STOP", "startup recovering")
    try:
        yield lambda: db.lab.ssh(target, state).startswith("T")
    finally:
        db.signal(target, "CONT", "startup recovering")


@contextmanager
def target_says_it_streams_and_hears_nothing(db: OrdersDb) -> Iterator[Seen]:
    """Freeze its sender; it says that it streams until its own time-out."""
    primary, target = db.primary, db.target
    db.configure(target, "wal_receiver_timeout", "5min")
    address = db.lab.host(target).address
    db.signal(primary, "STOP", f"walsender replicator {address}")

    def is_silent() -> bool:
        rows = db.ask(target, _SILENT_S)
        return bool(rows) and float(str(rows[0][0])) > 2.5

    wait_until(is_silent, "a target that streams and hears nothing")
    try:
        yield is_silent
    finally:
        db.signal(primary, "CONT", f"walsender replicator {address}")
        db.reset(target, "wal_receiver_timeout")
        wait_until(lambda: not is_silent(), "a target that hears its primary")


@contextmanager
def target_lacks_an_extension(db: OrdersDb) -> Iterator[Seen]:
    """Use an extension whose files the target has lost."""
    primary, target = db.primary, db.target
    file = f"{_CONTROL_FILES}/pg_trgm.control"
    query = """
        select exists (select from pg_extension where extname = 'pg_trgm')
        and not exists (select from pg_available_extensions where name = 'pg_trgm')
    """
    db.ask(primary, "create extension pg_trgm")
    db.lab.ssh(target, f"mv {file} {file}.away")
    wait_until(lambda: db.says(target, query), "a target without the extension")
    try:
        yield lambda: db.says(target, query)
    finally:
        db.lab.ssh(target, f"mv {file}.away {file}")
        db.ask(primary, "drop extension pg_trgm")
        wait_until(
            lambda: (
                not db.says(
                    target, "select count(*) = 1 from pg_extension where extname = %s", "pg_trgm"
                )
            ),
            "a target without use for the extension",
        )


@contextmanager
def collation_differs(db: OrdersDb) -> Iterator[Seen]:
    """Note that the data were sorted by another C library."""
    primary, target = db.primary, db.target
    query = "select datcollversion = '2.17' from pg_database where datname = 'template1'"
    note = "update pg_database set datcollversion = %s where datname = 'template1'"
    db.ask(primary, note, "2.17")
    wait_until(lambda: db.says(target, query), "the collation version on the target")
    try:
        yield lambda: db.says(target, query)
    finally:
        db.ask(primary, note, None)
        wait_until(lambda: not db.says(target, query), "no collation version on the target")


@contextmanager
def target_cannot_be_rewound(db: OrdersDb) -> Iterator[Seen]:
    """Turn checksums and hints off on the target alone."""
    target = db.target
    query = """
        select current_setting('data_checksums') = 'off'
        and current_setting('wal_log_hints') = 'off'
    """
    db.ask(target, "alter system set wal_log_hints = off")
    _set_checksums(db, target, "--disable")
    try:
        yield lambda: db.says(target, query)
    finally:
        db.ask(target, "alter system reset wal_log_hints")
        _set_checksums(db, target, "--enable")


@contextmanager
def target_s_disk_is_nearly_full(db: OrdersDb) -> Iterator[Seen]:
    """Move its data to a small disk, and fill that up."""
    lab, target = db.lab, db.target
    used = f"df --output=pcent {DATA} | tail -1 | tr -d ' %'"
    db.control(target, "stop")
    lab.ssh(target, _SMALL_DISK)
    db.control(target, "start")
    lab.ssh(target, _FILL_UP)
    wait_until(lambda: db.says(target, _STREAMS), "a target on a small disk that streams")
    try:
        yield lambda: int(lab.ssh(target, used)) > 80
    finally:
        db.control(target, "stop")
        lab.ssh(target, f"umount {DATA} && umount /mnt")
        db.control(target, "start")


_SMALL_DISK = f"""
set -e
mount -t tmpfs -o size=$(($(du -sm {DATA} | cut -f1) * 2 + 64))m,mode=700 small /mnt
cp -a {DATA}/. /mnt/
chown postgres:postgres /mnt
mount --bind /mnt {DATA}
"""
_FILL_UP = f"head -c $(($(df --output=avail {DATA} | tail -1) * 820)) /dev/zero > {DATA}/filler"


def _set_checksums(db: OrdersDb, target: str, option: str) -> None:
    program = "/usr/lib/postgresql/15/bin/pg_checksums"
    db.control(target, "stop")
    db.lab.ssh(
        target,
        f"setpriv --reuid=postgres --regid=postgres --init-groups {program} {option} -D {DATA}",
    )
    db.control(target, "start")
    wait_until(lambda: db.says(target, _STREAMS), "a target that streams again")
