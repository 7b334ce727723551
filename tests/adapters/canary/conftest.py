from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.real_postgresql import RealPostgresql, real_postgresql
from tests.support.real_shop import RealShop, prepare_for_shop, real_shop


@pytest.fixture(scope="module")
def postgresql() -> Iterator[RealPostgresql]:
    with real_postgresql() as server:
        prepare_for_shop(server)
        yield server


@pytest.fixture(scope="module")
def shops(postgresql: RealPostgresql) -> Iterator[tuple[RealShop, RealShop]]:
    with real_shop(postgresql, "app-a1") as here, real_shop(postgresql, "app-b1") as there:
        yield here, there
