"""Faults of a primary that was replaced meanwhile: healing makes no second one."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from orchestrator.lab import lifecycle
from orchestrator.lab.errors import FaultImpossible
from orchestrator.lab.faults.breaking import break_lab, heal_lab
from tests.support.lab import Lab, wait_until
from tests.support.orders_db import MEMBERS, OrdersDb

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("full_lab")]

LONG = pytest.mark.fault_suite
"""Left to `make fault-suite`, which is long."""


@pytest.fixture(autouse=True)
def made_anew(lab: Lab) -> Iterator[None]:
    """Nothing of the product joins the members again here."""
    yield
    lifecycle.down(lab.home, print)
    lifecycle.up(lab.home, print)


@pytest.fixture
def db(lab: Lab) -> OrdersDb:
    service = OrdersDb(lab=lab)
    service.await_well()
    return service


@pytest.mark.parametrize("fault", ["primary-killed", pytest.param("host-off", marks=LONG)])
def test_dead_primary_that_was_replaced_stays_dead(db: OrdersDb, fault: str) -> None:
    old, new = db.primary, db.target
    break_lab(db.lab.home, fault, "", print)
    _promote(db, new)
    said: list[str] = []

    heal_lab(db.lab.home, "", said.append)

    assert said == [
        f"{fault} on {old}: healed; {new} was promoted meanwhile: {old} needs database-reprotect"
    ]
    assert db.lab.ssh(old, "pgrep --exact postgres || echo none") == "none"
    assert _writable(db) == [new]


@LONG
@pytest.mark.parametrize("fault", ["primary-frozen", "host-black-holed"])
def test_living_primary_that_was_replaced_is_not_healed_unless_it_is_fenced(
    db: OrdersDb, fault: str
) -> None:
    old, new = db.primary, db.target
    break_lab(db.lab.home, fault, "", print)
    _promote(db, new)

    with pytest.raises(FaultImpossible, match="nothing fences it"):
        heal_lab(db.lab.home, "", print)

    assert lifecycle.status(db.lab.home).faults == (f"{fault} on {old}",)
    assert _writable(db) == [new]


def _promote(db: OrdersDb, host: str) -> None:
    db.ask(host, "select pg_promote()")
    wait_until(lambda: db.says(host, "select not pg_is_in_recovery()"), "a new primary")


def _writable(db: OrdersDb) -> list[str]:
    return [member for member in MEMBERS if _takes_writes(db, member)]


def _takes_writes(db: OrdersDb, member: str) -> bool:
    try:
        return db.says(member, "select not pg_is_in_recovery()")
    except psycopg.OperationalError:
        return False
