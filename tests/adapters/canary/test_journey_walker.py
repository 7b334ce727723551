from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.adapters.journey_walker import JourneyWalker
from tests.support.journeys import journey_at, surroundings_of
from tests.support.real_postgresql import RealPostgresql
from tests.support.real_shop import RealShop


@pytest.fixture
def walker(
    postgresql: RealPostgresql, shops: tuple[RealShop, RealShop]
) -> Iterator[JourneyWalker]:
    walker = JourneyWalker(journey_at(*shops), surroundings_of(postgresql))
    yield walker
    walker.close()


def test_walk_passes_every_action_and_brings_back_a_receipt(walker: JourneyWalker) -> None:
    result = walker.walk(1, reference="walk-1", within_s=5)

    assert result.error == ""
    assert result.passed
    assert result.receipts == ("walk-1",)
    assert list(result.took_s)[-1] == "log-out"
