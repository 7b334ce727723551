"""Real parts and settings that tests share."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.real_postgresql import RealPostgresql, real_postgresql
from tests.support.real_sshd import RealSshd, real_sshd

# A busy machine is no defect: nothing here is judged by how long one example took.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("any-machine")

_TESTS = Path(__file__).parent
# What these reach is measured: domain and engine must not need a database to be looked through.
_COVERING = (_TESTS / "unit", _TESTS / "scenarios")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure coverage only where it counts: tracing costs every other test half of its time."""
    for item in items:
        if not any(item.path.is_relative_to(folder) for folder in _COVERING):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nothing listens, kept from others by being bound."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSshd]:
    with real_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[RealPostgresql]:
    """A primary that every test leaves running."""
    with real_postgresql() as server:
        server.execute("create table recover_marker (run text not null, seq bigint not null)")
        yield server
