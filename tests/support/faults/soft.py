"""What a person may accept: tables that come back empty, an archive that refuses, lost slots."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.faults.fault import Seen
from tests.support.lab import wait_until
from tests.support.orders_db import OrdersDb


@contextmanager
def a_table_is_unlogged(db: OrdersDb) -> Iterator[Seen]:
    db.ask(db.primary, "create unlogged table cache (key text)")
    query = "select relpersistence = 'u' from pg_class where relname = 'cache'"
    try:
        yield lambda: db.says(db.primary, query)
    finally:
        db.ask(db.primary, "drop table cache")


@contextmanager
def the_archive_refuses(db: OrdersDb) -> Iterator[Seen]:
    primary = db.primary
    query = """
        select last_failed_time > coalesce(last_archived_time, '-infinity') from pg_stat_archiver
    """
    db.configure(primary, "archive_command", "false")
    db.ask(primary, "select pg_logical_emit_message(false, 'archive', 'this')")
    db.ask(primary, "select pg_switch_wal()")
    wait_until(lambda: db.says(primary, query), "an archive that refuses")
    try:
        yield lambda: db.says(primary, query)
    finally:
        db.reset(primary, "archive_command")


@contextmanager
def a_logical_slot_is_there(db: OrdersDb) -> Iterator[Seen]:
    primary = db.primary
    query = "select count(*) = 1 from pg_replication_slots where slot_type = 'logical'"
    db.ask(primary, "alter system set wal_level = logical")
    db.control(primary, "restart")
    wait_until(db.takes_a_write, "a primary that takes writes")
    db.ask(primary, "select pg_create_logical_replication_slot('subscriber', 'pgoutput')")
    try:
        yield lambda: db.says(primary, query)
    finally:
        db.ask(primary, "select pg_drop_replication_slot('subscriber')")
        db.ask(primary, "alter system reset wal_level")
        db.control(primary, "restart")
