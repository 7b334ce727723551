"""A fault: something broken on purpose, that can be seen and is healed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from orchestrator.lab.faults.breaking import break_lab, heal_lab, is_broken
from tests.support.orders_db import OrdersDb

Seen = Callable[[], bool]
"""Looks, past the product, whether the fault is there now."""
Fault = Callable[[OrdersDb], AbstractContextManager[Seen]]


@contextmanager
def fault_of_the_lab(db: OrdersDb, name: str, host: str) -> Iterator[Seen]:
    """Break the lab on *host* as `recover lab break` does, and heal it at the end."""
    home = db.lab.home
    try:
        break_lab(home, name, host, print)
        yield lambda: is_broken(home, name, host)
    finally:
        heal_lab(home, name, print)
