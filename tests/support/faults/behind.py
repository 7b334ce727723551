"""Faults that show only behind the point of no return, prepared while the gate waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.faults.fault import Seen
from tests.support.lab import wait_until
from tests.support.orders_db import DATA, POOLER, UNIT, OrdersDb

_PIDFILE = "/run/pgbouncer/pgbouncer.pid"
_NOBODY = 4194303
"""A process id beyond those that this kernel gives."""


@contextmanager
def pooler_gets_no_signal(db: OrdersDb) -> Iterator[Seen]:
    """Let the pooler's pidfile name nobody."""
    good = db.lab.ssh(POOLER, f"cat {_PIDFILE}")
    db.lab.ssh(POOLER, f"echo {_NOBODY} > {_PIDFILE}")
    try:
        yield lambda: db.lab.ssh(POOLER, f"cat {_PIDFILE}") == str(_NOBODY)
    finally:
        db.lab.ssh(POOLER, f"echo {good} > {_PIDFILE}")


@contextmanager
def old_primary_may_not_start(db: OrdersDb) -> Iterator[Seen]:
    """Mask the unit of the primary, and at the end make a standby of it by hand."""
    primary = db.primary
    db.lab.ssh(primary, f"systemctl mask --runtime {UNIT}")
    state = f"systemctl show -P LoadState {UNIT}"
    try:
        yield lambda: db.lab.ssh(primary, state) == "masked"
    finally:
        db.lab.ssh(primary, f"systemctl unmask --runtime {UNIT}")
        db.lab.ssh(primary, f"setpriv --reuid=postgres touch {DATA}/standby.signal")
        db.control(primary, "start")
        wait_until(lambda: db.streams_from(primary), "the old primary as a standby")
        db.ask(primary, _DROP_UNUSED_SLOTS)


_DROP_UNUSED_SLOTS = """
    select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active
"""
