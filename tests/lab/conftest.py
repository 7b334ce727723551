from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.lab import lifecycle
from orchestrator.lab.errors import KeysLost
from orchestrator.lab.topology import FULL, LOOPBACK
from tests.support.fault_table import FaultTable
from tests.support.lab import Lab, state_directory
from tests.support.orders_db import OrdersDb
from tests.support.recover_command import Recover, recover_in

FAULTS_SEEN = pytest.StashKey[FaultTable]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FAULTS_SEEN] = FaultTable()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    table = config.stash[FAULTS_SEEN]
    if table.rows:
        terminalreporter.section("faults")
        for line in table.lines():
            terminalreporter.write_line(line)


@pytest.fixture
def fault_table(request: pytest.FixtureRequest) -> FaultTable:
    """The table that is printed behind the tests."""
    return request.config.stash[FAULTS_SEEN]


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab that this machine can carry, brought up if it is not; left up for the next run."""
    home = state_directory() / "lab"
    if not _is_usable(home):
        lifecycle.down(home, print)
    status = lifecycle.up(home, print)
    assert status.problems == ()
    blueprint = next(b for b in (FULL, LOOPBACK) if b.kind == status.kind)
    return Lab(blueprint=blueprint, home=home)


def _is_usable(home: Path) -> bool:
    """Tell whether the lab that is up, if any, is whole, runs this code and lets us in."""
    try:
        return not lifecycle.up(home, print).problems
    except KeysLost:
        return False


@pytest.fixture
def full_lab(lab: Lab) -> Lab:
    if lab.blueprint is not FULL:
        pytest.skip("only the full lab has its own machines and networks")
    return lab


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")


@pytest.fixture
def orders_db(lab: Lab) -> Iterator[OrdersDb]:
    """The service, well before the test and well after it; made anew if a test left it broken."""
    service = OrdersDb(lab=lab)
    service.await_well()
    yield service
    try:
        service.await_well()
    except AssertionError:
        lifecycle.down(lab.home, print)
        lifecycle.up(lab.home, print)
        raise


@pytest.fixture
def recover(lab: Lab, tmp_path: Path) -> Recover:
    """The command, with content to write on and without any earlier run."""
    return recover_in(tmp_path, lab)
