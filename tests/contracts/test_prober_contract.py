"""What every prober owes the engine: a verdict in time, from what it saw, never an exception."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from orchestrator.adapters.http_exchange import HttpExchange
from orchestrator.adapters.probes.http import HttpProber
from orchestrator.adapters.probes.sql import SqlProber
from orchestrator.adapters.probes.sql_write import SqlWriteProber
from orchestrator.adapters.probes.ssh import SshProber
from orchestrator.adapters.probes.tcp import TcpProber
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.environment import Environment
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Prober
from tests.support.actions import SOON, a_probe
from tests.support.clocks import NOON, StoppedClock
from tests.support.environments import a_database, a_host, an_environment
from tests.support.fence_agents import NO_FENCES
from tests.support.real_postgresql import RealPostgresql
from tests.support.real_sshd import RealSshd
from tests.support.web_server import Page, web_server

AT_ONCE = timedelta(milliseconds=500)
CLOCK = StoppedClock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Real targets: ``db-a1`` works, ``db-silent`` takes connections and never answers."""

    environment: Environment
    secrets: SecretStore
    silent_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One prober, with a probe for each way it can go."""

    prober: Prober
    passes: Probe
    fails: Probe
    sees_nothing: Probe


@pytest.fixture
def surroundings(sshd: RealSshd, postgresql: RealPostgresql, silent_port: int) -> Surroundings:
    hosts = [
        sshd.host("db-a1", postgresql_port=postgresql.port),
        a_host("db-silent", ansible_port=silent_port, postgresql_port=silent_port),
    ]
    return Surroundings(
        environment=an_environment(
            hosts=hosts, services=[a_database("db-a1", "db-silent")], ssh=sshd.ssh
        ),
        secrets=SecretStore(sshd.folder),
        silent_port=silent_port,
    )


@contextmanager
def _ssh(around: Surroundings) -> Iterator[Case]:
    sessions = SshSessions(around.environment, around.secrets)
    yield Case(
        prober=SshProber(sessions, CLOCK),
        passes=a_probe("ssh", on="db-a1", run=["true"]),
        fails=a_probe("ssh", on="db-a1", run=["false"]),
        sees_nothing=a_probe("ssh", on="db-silent", run=["true"]),
    )
    sessions.close()


@contextmanager
def _sql(around: Surroundings) -> Iterator[Case]:
    sessions = SqlSessions(around.environment, around.secrets)
    look = {"query": "select 1 as one", "row": {"one": 1}}
    yield Case(
        prober=SqlProber(sessions, CLOCK),
        passes=a_probe("sql", on="orders-db/db-a1", **look),
        fails=a_probe("sql", on="orders-db/db-a1", **{**look, "row": {"one": 2}}),
        sees_nothing=a_probe("sql", on="orders-db/db-silent", **look),
    )
    sessions.close()


@contextmanager
def _sql_write(around: Surroundings) -> Iterator[Case]:
    sql = SqlSessions(around.environment, around.secrets)
    ssh = SshSessions(around.environment, around.secrets)
    yield Case(
        prober=SqlWriteProber(around.environment, sql, ssh, NO_FENCES, CLOCK),
        passes=a_probe("sql_write", on="orders-db/db-a1", expect="accepted"),
        fails=a_probe("sql_write", on="orders-db/db-a1", expect="refused"),
        sees_nothing=a_probe("sql_write", on="orders-db/db-silent", expect="refused"),
    )
    sql.close()
    ssh.close()


@contextmanager
def _tcp(around: Surroundings) -> Iterator[Case]:
    yield Case(
        prober=TcpProber(around.environment, CLOCK),
        passes=a_probe("tcp", on="db-a1", port="postgresql_port"),
        fails=a_probe("tcp", on="db-a1", port="postgresql_port", expect="refused"),
        sees_nothing=a_probe("tcp", on="db-unheard-of", port=1),
    )


@contextmanager
def _http(around: Surroundings) -> Iterator[Case]:
    exchange = HttpExchange()
    with web_server({"/ok": Page(), "/broken": Page(status=500)}) as site:
        yield Case(
            prober=HttpProber(exchange, CLOCK),
            passes=a_probe("http", url=f"{site}/ok"),
            fails=a_probe("http", url=f"{site}/broken"),
            sees_nothing=a_probe("http", url=f"http://127.0.0.1:{around.silent_port}/"),
        )
    exchange.close()


MakeCase = Callable[[Surroundings], AbstractContextManager[Case]]


@pytest.fixture(
    params=[
        pytest.param(make, id=make.__name__.removeprefix("_"))
        for make in (_ssh, _sql, _sql_write, _tcp, _http)
    ]
)
def case(request: pytest.FixtureRequest, surroundings: Surroundings) -> Iterator[Case]:
    make: MakeCase = request.param
    with make(surroundings) as made:
        yield made


def test_what_was_expected_passes_and_tells_what_was_seen(case: Case) -> None:
    evidence = case.prober.look(case.passes, within=SOON)

    assert (evidence.verdict, evidence.at) == (Verdict.PASSED, NOON)
    assert evidence.summary


def test_what_was_not_expected_fails_and_tells_why(case: Case) -> None:
    evidence = case.prober.look(case.fails, within=SOON)

    assert evidence.verdict is Verdict.FAILED
    assert evidence.summary


def test_silence_is_inconclusive_and_takes_no_longer_than_it_may(case: Case) -> None:
    began = time.monotonic()

    evidence = case.prober.look(case.sees_nothing, within=AT_ONCE)

    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.summary
    assert time.monotonic() - began < 3


def test_looking_twice_sees_the_same(case: Case) -> None:
    first = case.prober.look(case.passes, within=SOON)

    assert case.prober.look(case.passes, within=SOON).verdict is first.verdict
