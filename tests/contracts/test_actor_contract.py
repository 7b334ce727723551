"""What every actor owes the engine: the fake of the scenarios, and the real ones."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.actions.ansible import AnsibleActor
from orchestrator.adapters.actions.http import HttpActor
from orchestrator.adapters.actions.sql import SqlActor
from orchestrator.adapters.actions.ssh import SshActor
from orchestrator.adapters.frozen_files import FrozenPlaybooks
from orchestrator.adapters.http_exchange import HttpExchange
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.environment import Environment
from orchestrator.domain.errors import ContentInvalid, TargetUnavailable
from orchestrator.domain.playbook import Action
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import Actor
from tests.support.actions import AN_ATTEMPT, an_action
from tests.support.builders import a_plan
from tests.support.environments import a_database, a_host, an_environment
from tests.support.fake_target import FakeTarget, Fate, sets
from tests.support.fakes import FakeClock
from tests.support.real_postgresql import RealPostgresql
from tests.support.real_sshd import RealSshd
from tests.support.web_server import Page, web_server

WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Real targets: ``db-a1`` works, ``db-down`` refuses every connect."""

    environment: Environment
    secrets: SecretStore
    folder: Path
    closed_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One actor, with an action for each way it can go."""

    actor: Actor
    works: Action
    fails: Action
    cannot_start: Action


@pytest.fixture
def surroundings(
    sshd: RealSshd, postgresql: RealPostgresql, closed_port: int, tmp_path: Path
) -> Surroundings:
    hosts = [
        sshd.host("db-a1", postgresql_port=postgresql.port),
        a_host("db-down", ansible_port=closed_port, postgresql_port=closed_port),
    ]
    return Surroundings(
        environment=an_environment(
            hosts=hosts, services=[a_database("db-a1", "db-down")], ssh=sshd.ssh
        ),
        secrets=SecretStore(sshd.folder),
        folder=tmp_path,
        closed_port=closed_port,
    )


@contextmanager
def _fake(_: Surroundings) -> Iterator[Case]:
    target = FakeTarget(clock=FakeClock(), facts={})
    target.fates["broken"] = deque([Fate.FAILS])
    target.fates["gone"] = deque([Fate.UNREACHABLE])
    yield Case(
        actor=target,
        works=sets("role", "primary"),
        fails=sets("broken", "x"),
        cannot_start=sets("gone", "x"),
    )


@contextmanager
def _ssh(around: Surroundings) -> Iterator[Case]:
    sessions = SshSessions(around.environment, around.secrets)
    yield Case(
        actor=SshActor(sessions),
        works=an_action("ssh", on="db-a1", run=["true"]),
        fails=an_action("ssh", on="db-a1", run=["false"]),
        cannot_start=an_action("ssh", on="db-down", run=["true"]),
    )
    sessions.close()


@contextmanager
def _sql(around: Surroundings) -> Iterator[Case]:
    sessions = SqlSessions(around.environment, around.secrets)
    yield Case(
        actor=SqlActor(sessions),
        works=an_action("sql", on="orders-db/db-a1", query="checkpoint"),
        fails=an_action("sql", on="orders-db/db-a1", query="select no_such_function()"),
        cannot_start=an_action("sql", on="orders-db/db-down", query="checkpoint"),
    )
    sessions.close()


@contextmanager
def _http(around: Surroundings) -> Iterator[Case]:
    exchange = HttpExchange()
    with web_server({"/ok": Page(), "/broken": Page(status=500)}) as site:
        yield Case(
            actor=HttpActor(exchange),
            works=an_action("http", url=f"{site}/ok"),
            fails=an_action("http", url=f"{site}/broken"),
            cannot_start=an_action("http", url=f"http://127.0.0.1:{around.closed_port}/"),
        )
    exchange.close()


@contextmanager
def _ansible(around: Surroundings) -> Iterator[Case]:
    plan = a_plan()
    folder = around.folder / plan.playbook
    folder.mkdir()
    for name, module in {"works": "ansible.builtin.ping", "fails": "ansible.builtin.fail"}.items():
        play = [{"hosts": "all", "gather_facts": False, "tasks": [{module: {}}]}]
        (folder / f"{name}.yml").write_text(json.dumps(play))
    yield Case(
        actor=AnsibleActor(
            around.environment,
            around.secrets,
            playbooks=FrozenPlaybooks(plan=plan, root=around.folder),
            work_folder=around.folder / "work",
        ),
        works=an_action("ansible", play="works.yml", on="db-a1"),
        fails=an_action("ansible", play="fails.yml", on="db-a1"),
        cannot_start=an_action("ansible", play="missing.yml", on="db-a1"),
    )


MakeCase = Callable[[Surroundings], AbstractContextManager[Case]]


@pytest.fixture(
    params=[
        pytest.param(make, id=make.__name__.removeprefix("_"))
        for make in (_fake, _ssh, _sql, _http, _ansible)
    ]
)
def case(request: pytest.FixtureRequest, surroundings: Surroundings) -> Iterator[Case]:
    make: MakeCase = request.param
    with make(surroundings) as made:
        yield made


def test_what_works_is_done(case: Case) -> None:
    report = case.actor.perform(case.works, AN_ATTEMPT, within=WITHIN)

    assert report.outcome is Outcome.DONE
    assert report.detail


def test_what_the_target_refuses_has_failed_and_says_why(case: Case) -> None:
    report = case.actor.perform(case.fails, AN_ATTEMPT, within=WITHIN)

    assert report.outcome is Outcome.FAILED
    assert report.detail


def test_what_could_not_be_started_is_no_outcome(case: Case) -> None:
    with pytest.raises(TargetUnavailable):
        case.actor.perform(case.cannot_start, AN_ATTEMPT, within=WITHIN)


@pytest.mark.parametrize("kind", ["ssh", "sql", "http", "ansible"])
def test_inputs_with_an_unknown_key_are_refused(kind: str, surroundings: Surroundings) -> None:
    make: dict[str, MakeCase] = {"ssh": _ssh, "sql": _sql, "http": _http, "ansible": _ansible}
    with make[kind](surroundings) as case:
        inputs = {**case.works.inputs, "no_such_key": 1}

        with pytest.raises(ContentInvalid, match="no_such_key"):
            case.actor.perform(an_action(kind, **inputs), AN_ATTEMPT, within=WITHIN)
