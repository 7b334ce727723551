from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from orchestrator.adapters.canary.spec import MarkerSpec, WalkSpec
from tests.support.journeys import journey_at, surroundings_of
from tests.support.real_canary import RealCanary
from tests.support.real_postgresql import RealPostgresql, real_postgresql
from tests.support.real_shop import RealShop, prepare_for_shop, real_shop
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def postgresql() -> Iterator[RealPostgresql]:
    with real_postgresql() as server:
        prepare_for_shop(server)
        yield server


@pytest.fixture(scope="module")
def shops(postgresql: RealPostgresql) -> Iterator[tuple[RealShop, RealShop]]:
    with real_shop(postgresql, "app-a1") as here, real_shop(postgresql, "app-b1") as there:
        yield here, there


@pytest.fixture
def markers(postgresql: RealPostgresql) -> MarkerSpec:
    return MarkerSpec(database=postgresql.database("canary", "shop"))


@pytest.fixture
def walks(postgresql: RealPostgresql, shops: tuple[RealShop, RealShop]) -> WalkSpec:
    return WalkSpec(journey=journey_at(*shops), surroundings=surroundings_of(postgresql))


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[RealCanary]:
    """A canary that is gone after the test, whatever happened."""
    tmp_path.chmod(0o700)
    canary = RealCanary(run=f"test-{uuid4().hex[:8]}", directory=tmp_path)
    yield canary
    if (pid := canary.nest.pid()) is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not canary.nest.is_alive(), "no process of the canary is left")
