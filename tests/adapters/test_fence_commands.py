"""Fences by commands: exit codes that tell something, and hosts that have stopped answering."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.fences.fencer import FenceState
from orchestrator.adapters.fences.ssh import SshFencer
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.run import Outcome
from tests.support.environments import an_environment
from tests.support.real_sshd import RealSshd

MEMBER = "orders-db/db-a1"
WITHIN = timedelta(seconds=1)


def commands(is_closed: str) -> dict[str, object]:
    return {"close": ["true"], "is_closed": ["sh", "-c", is_closed], "open": ["true"]}


@pytest.fixture
def fencer(sshd: RealSshd) -> Iterator[SshFencer]:
    environment = an_environment(hosts=[sshd.host("db-a1")], ssh=sshd.ssh)
    sessions = SshSessions(environment, SecretStore(sshd.folder))
    yield SshFencer(sessions)
    sessions.close()


@pytest.mark.parametrize(
    ("command", "state"),
    [
        pytest.param("exit 0", FenceState.CLOSED, id="yes"),
        pytest.param("exit 1", FenceState.OPEN, id="no"),
        pytest.param("exit 2", FenceState.UNKNOWN, id="a test that could not be made"),
        pytest.param("no-such-program", FenceState.UNKNOWN, id="no such program"),
        pytest.param("kill -9 $$", FenceState.UNKNOWN, id="a test that was killed"),
    ],
)
def test_only_yes_and_no_tell_something(
    fencer: SshFencer, command: str, state: FenceState
) -> None:
    deadline = Deadline.after(timedelta(seconds=10))

    assert fencer.look(MEMBER, commands(command), deadline=deadline).state is state


def test_a_host_that_stops_answering_costs_no_more_than_the_fence_may(
    fencer: SshFencer, sshd: RealSshd
) -> None:
    warm = Deadline.after(timedelta(seconds=10))
    assert fencer.look(MEMBER, commands("exit 1"), deadline=warm).state is FenceState.OPEN

    sshd.freeze()
    began = time.monotonic()
    report = fencer.close(MEMBER, commands("exit 1"), deadline=Deadline.after(WITHIN))
    took_s = time.monotonic() - began
    sshd.thaw()

    assert report.outcome is not Outcome.DONE
    assert took_s < 2 * WITHIN.total_seconds()
