"""Faults of the way that users take: pooler, permissions, application servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.support.faults.fault import Seen
from tests.support.lab import wait_until
from tests.support.orders_db import POOLER, OrdersDb

DATABASES = "/etc/pgbouncer/databases.ini"


@contextmanager
def pooler_takes_another_way(db: OrdersDb) -> Iterator[Seen]:
    """Let clients reach the primary by an address that the environment does not know."""
    host = db.lab.host(db.primary)
    swap = f"sed -i 's/host={{}} /host={{}} /' {DATABASES}"
    db.lab.ssh(POOLER, swap.format(host.address, host.management))
    db.console("reload")
    try:
        yield lambda: db.pooler_row() == (host.management, 0)
    finally:
        db.lab.ssh(POOLER, swap.format(host.management, host.address))
        db.console("reload")


@contextmanager
def pooler_is_paused(db: OrdersDb) -> Iterator[Seen]:
    db.console("pause shop")
    try:
        yield lambda: db.pooler_row()[1] == 1
    finally:
        db.console("resume shop")


@contextmanager
def canary_may_not_write(db: OrdersDb) -> Iterator[Seen]:
    primary = db.primary
    db.ask(primary, "revoke insert on recover_marker from canary")

    def is_refused() -> bool:
        try:
            return not db.takes_a_write()
        except psycopg.errors.InsufficientPrivilege:
            return True

    try:
        yield is_refused
    finally:
        db.ask(primary, "grant insert on recover_marker to canary")


@contextmanager
def one_application_server_is_down(db: OrdersDb) -> Iterator[Seen]:
    lab = db.lab
    lab.ssh("app-b1", "systemctl stop shop")
    try:
        yield lambda: lab.try_ssh("app-b1", "systemctl is-active shop").returncode != 0
    finally:
        lab.ssh("app-b1", "systemctl start shop")
        wait_until(lambda: not db.complaints(), "a shop that is open again")
