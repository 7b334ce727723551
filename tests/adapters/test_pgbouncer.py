"""A real pooler: its console, and statements through it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.actions.sql import SqlActor
from orchestrator.adapters.probes.sql import SqlProber
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.run import Outcome
from orchestrator.domain.verdict import Verdict
from tests.support.actions import AN_ATTEMPT, SOON, a_probe, an_action
from tests.support.clocks import StoppedClock
from tests.support.environments import a_database, a_host, an_environment
from tests.support.real_pgbouncer import real_pgbouncer
from tests.support.real_postgresql import RealPostgresql

POOL = "orders-db/pool-a1"
CONSOLE = "pgbouncer"


@pytest.fixture
def sessions(postgresql: RealPostgresql) -> Iterator[SqlSessions]:
    with real_pgbouncer(postgresql) as port:
        sessions = SqlSessions(
            an_environment(
                hosts=[a_host("pool-a1", postgresql_port=port)],
                services=[a_database("pool-a1", engine="pgbouncer")],
            ),
            SecretStore(Path()),
        )
        yield sessions
        sessions.close()


def look(sessions: SqlSessions, **inputs: object) -> Evidence:
    prober = SqlProber(sessions, StoppedClock())
    return prober.look(a_probe("sql", on=POOL, **inputs), within=timedelta(seconds=1))


def paused(sessions: SqlSessions) -> Evidence:
    return look(
        sessions,
        query="show databases",
        database=CONSOLE,
        where={"name": "shop"},
        row={"paused": 1},
    )


def test_clients_are_held_and_released_on_the_console(sessions: SqlSessions) -> None:
    actor = SqlActor(sessions)
    look(sessions, query="select 1 as one", row={"one": 1}, database="shop")
    before = paused(sessions)

    hold = actor.perform(
        an_action("sql", on=POOL, query="pause shop", database=CONSOLE), AN_ATTEMPT, within=SOON
    )
    during = paused(sessions)
    held = look(sessions, query="select 1 as one", row={"one": 1}, database="shop")
    release = actor.perform(
        an_action("sql", on=POOL, query="resume shop", database=CONSOLE), AN_ATTEMPT, within=SOON
    )
    after = look(sessions, query="select 1 as one", row={"one": 1}, database="shop")

    assert [hold.outcome, release.outcome] == [Outcome.DONE, Outcome.DONE]
    assert [before.verdict, during.verdict] == [Verdict.FAILED, Verdict.PASSED]
    assert [held.verdict, after.verdict] == [Verdict.INCONCLUSIVE, Verdict.PASSED]


def test_a_console_that_says_no_has_failed(sessions: SqlSessions) -> None:
    action = an_action("sql", on=POOL, query="pause nowhere", database=CONSOLE)

    report = SqlActor(sessions).perform(action, AN_ATTEMPT, within=SOON)

    assert report.outcome is Outcome.FAILED
    assert "nowhere" in report.detail


def test_values_are_bound_through_the_pooler_too(sessions: SqlSessions) -> None:
    evidence = look(
        sessions,
        query="select %(word)s as said",
        values={"word": "it's"},
        row={"said": "it's"},
        database="shop",
    )

    assert evidence.verdict is Verdict.PASSED
