"""The journey of the lab, as its file says, at the shops of a test."""

from __future__ import annotations

from orchestrator.adapters.journey_walker import Surroundings
from orchestrator.bootstrap.contents import load
from orchestrator.domain.environment import EnvironmentName
from orchestrator.domain.journey import Journey
from orchestrator.domain.playbook import JourneyName
from orchestrator.settings import Settings
from tests.support.real_postgresql import RealPostgresql
from tests.support.real_shop import PASSWORD, ROOT, RealShop


def lab_journey() -> Journey:
    """The journey of the lab's customers."""
    environments = load(Settings(content=ROOT, state=ROOT)).environments
    return environments[EnvironmentName("lab")].value.journeys[JourneyName("place-an-order")]


def journey_at(here: RealShop, there: RealShop) -> Journey:
    """The lab's journey, bound to two shops."""
    return lab_journey().bound_to({"shop/app-a1": here.url, "shop/app-b1": there.url})


def surroundings_of(server: RealPostgresql) -> Surroundings:
    """Ways to the database and the secrets, as the controller would send them."""
    return Surroundings(
        databases={"orders-pool": server.database("canary", "shop")},
        secrets={"synthetic-user": PASSWORD},
    )
