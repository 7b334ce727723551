"""A fault: something broken on purpose, that can be seen and is healed at the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.support.orders_db import OrdersDb

Seen = Callable[[], bool]
"""Looks, past the product, whether the fault is there now."""
Fault = Callable[[OrdersDb], AbstractContextManager[Seen]]
