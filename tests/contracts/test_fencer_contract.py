"""What every kind of fence owes: it closes, it opens, it is seen, and it ends in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.fences.agent import AgentFencer
from orchestrator.adapters.fences.fencer import Fencer, FenceState
from orchestrator.adapters.fences.ssh import SshFencer
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.run import Outcome
from tests.support.environments import a_host, an_environment
from tests.support.fence_agents import Manner, a_fence_agent
from tests.support.real_sshd import RealSshd

MEMBER = "orders-db/db-a1"
SILENT = "orders-db/db-silent"
AT_ONCE = timedelta(milliseconds=500)

Inputs = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind, with inputs for each way it can go."""

    fencer: Fencer
    works: Inputs
    fails: Inputs
    silent: tuple[str, Inputs]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A host that obeys, one that takes connections and never answers, and a folder."""

    sshd: RealSshd
    silent_port: int
    folder: Path


@contextmanager
def _ssh(around: Surroundings) -> Iterator[Case]:
    hosts = [around.sshd.host("db-a1"), a_host("db-silent", ansible_port=around.silent_port)]
    sessions = SshSessions(
        an_environment(hosts=hosts, ssh=around.sshd.ssh), SecretStore(around.sshd.folder)
    )
    fence = str(around.folder / "fenced")
    works = {
        "close": ["touch", fence],
        "is_closed": ["test", "-e", fence],
        "open": ["rm", "-f", fence],
    }
    yield Case(
        fencer=SshFencer(sessions),
        works=works,
        fails={key: ["ls", "/no/such/file"] for key in works},
        silent=(SILENT, works),
    )
    sessions.close()


@contextmanager
def _agent(around: Surroundings) -> Iterator[Case]:
    folders = {name: around.folder / name for name in ("works", "fails", "hangs")}
    for name, folder in folders.items():
        a_fence_agent(folder, "db-a1").behave(Manner(name))
    inputs = {
        name: {"program": f"{name}/fence_test", "options": {"plug": "db-a1"}} for name in folders
    }
    yield Case(
        fencer=AgentFencer(SecretStore(around.folder)),
        works=inputs["works"],
        fails=inputs["fails"],
        silent=(MEMBER, inputs["hangs"]),
    )


MakeCase = Callable[[Surroundings], AbstractContextManager[Case]]


@pytest.fixture(params=[pytest.param(_ssh, id="ssh"), pytest.param(_agent, id="agent")])
def case(
    request: pytest.FixtureRequest, sshd: RealSshd, silent_port: int, tmp_path: Path
) -> Iterator[Case]:
    make: MakeCase = request.param
    with make(Surroundings(sshd, silent_port, tmp_path)) as made:
        yield made


def soon() -> Deadline:
    return Deadline.after(timedelta(seconds=10))


def test_what_is_closed_is_seen_to_be_closed_until_it_is_opened(case: Case) -> None:
    before = case.fencer.look(MEMBER, case.works, deadline=soon())

    closing = case.fencer.close(MEMBER, case.works, deadline=soon())
    closed = case.fencer.look(MEMBER, case.works, deadline=soon())
    opening = case.fencer.open(MEMBER, case.works, deadline=soon())
    opened = case.fencer.look(MEMBER, case.works, deadline=soon())

    assert [closing.outcome, opening.outcome] == [Outcome.DONE, Outcome.DONE]
    assert [sight.state for sight in (before, closed, opened)] == [
        FenceState.OPEN,
        FenceState.CLOSED,
        FenceState.OPEN,
    ]


def test_closing_twice_is_as_closing_once(case: Case) -> None:
    case.fencer.close(MEMBER, case.works, deadline=soon())
    again = case.fencer.close(MEMBER, case.works, deadline=soon())

    assert again.outcome is Outcome.DONE
    assert case.fencer.look(MEMBER, case.works, deadline=soon()).state is FenceState.CLOSED


def test_what_fails_says_why_and_is_neither_open_nor_closed(case: Case) -> None:
    closing = case.fencer.close(MEMBER, case.fails, deadline=soon())
    sight = case.fencer.look(MEMBER, case.fails, deadline=soon())

    assert (closing.outcome, sight.state) == (Outcome.FAILED, FenceState.UNKNOWN)
    assert closing.detail
    assert sight.detail


def test_silence_is_no_answer_and_takes_no_longer_than_it_may(case: Case) -> None:
    member, inputs = case.silent
    began = time.monotonic()

    closing = case.fencer.close(member, inputs, deadline=Deadline.after(AT_ONCE))
    sight = case.fencer.look(member, inputs, deadline=Deadline.after(AT_ONCE))

    assert closing.outcome is not Outcome.DONE
    assert sight.state is FenceState.UNKNOWN
    assert time.monotonic() - began < 3
