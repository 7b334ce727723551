from __future__ import annotations

import os

import pytest

from orchestrator.lab import lifecycle
from orchestrator.lab.topology import FULL, LOOPBACK
from tests.support.lab import Lab, state_directory


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab that this machine can carry, brought up if it is not; left up for the next run."""
    home = state_directory() / "lab"
    status = lifecycle.up(home, print)
    if status.problems:
        lifecycle.down(home, print)
        status = lifecycle.up(home, print)
    assert status.problems == ()
    blueprint = next(b for b in (FULL, LOOPBACK) if b.kind == status.kind)
    return Lab(blueprint=blueprint, home=home)


@pytest.fixture
def full_lab(lab: Lab) -> Lab:
    if lab.blueprint is not FULL:
        pytest.skip("only the full lab has its own machines and networks")
    return lab


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
