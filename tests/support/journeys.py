"""The journey of the lab, as its file says, at the shops of a test."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from ruamel.yaml import YAML

from orchestrator.adapters.journey_walker import Surroundings
from orchestrator.domain.journey import Journey
from tests.support.real_postgresql import RealPostgresql
from tests.support.real_shop import PASSWORD, ROOT, RealShop

FILE = Path("environments/lab/journeys/place-an-order.yaml")


def lab_journey() -> Journey:
    """Read the journey file the short way: the real loader is tested elsewhere."""
    written = YAML(typ="safe", pure=True).load((ROOT / FILE).read_text())
    actions = [_action(action) for action in written["actions"]]
    return TypeAdapter(Journey).validate_python({**written, "actions": actions})


def journey_at(here: RealShop, there: RealShop) -> Journey:
    """The lab's journey, bound to two shops."""
    return lab_journey().bound_to({"shop/app-a1": here.url, "shop/app-b1": there.url})


def surroundings_of(server: RealPostgresql) -> Surroundings:
    """Ways to the database and the secrets, as the controller would send them."""
    return Surroundings(
        databases={"orders-pool": server.database("canary", "shop")},
        secrets={"synthetic-user": PASSWORD},
    )


def _action(written: dict[str, Any]) -> dict[str, Any]:
    rest = dict(written)
    kind = "http" if "http" in rest else "sql"
    patience = timedelta(seconds=int(str(rest.pop("patience", "0s")).removesuffix("s")))
    return {
        "name": rest.pop("action"),
        "kind": kind,
        "inputs": rest.pop(kind),
        "patience": patience,
        **rest,
    }
