"""Actions on real targets: what they did, and what is known when they broke off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.actions.http import HttpActor
from orchestrator.adapters.actions.sql import SqlActor
from orchestrator.adapters.actions.ssh import SshActor
from orchestrator.adapters.http_exchange import HttpExchange
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.run import Outcome
from tests.support.actions import AN_ATTEMPT, SOON, an_action
from tests.support.environments import a_database, a_host, an_environment
from tests.support.real_postgresql import RealPostgresql
from tests.support.real_sshd import RealSshd
from tests.support.web_server import Page, web_server

AT_ONCE = timedelta(seconds=0.5)


@pytest.fixture
def ssh(sshd: RealSshd) -> Iterator[SshActor]:
    environment = an_environment(hosts=[sshd.host("db-a1")], ssh=sshd.ssh)
    sessions = SshSessions(environment, SecretStore(sshd.folder))
    yield SshActor(sessions)
    sessions.close()


@pytest.fixture
def sql(postgresql: RealPostgresql, closed_port: int) -> Iterator[SqlActor]:
    environment = an_environment(
        hosts=[
            a_host("db-a1", postgresql_port=postgresql.port),
            a_host("db-down", postgresql_port=closed_port),
        ],
        services=[a_database("db-a1", "db-down")],
    )
    sessions = SqlSessions(environment, SecretStore(Path()))
    yield SqlActor(sessions)
    sessions.close()


def test_a_command_that_ends_well_is_done(ssh: SshActor) -> None:
    action = an_action("ssh", on="orders-db/db-a1", run=["cat"], stdin="said")

    report = ssh.perform(action, AN_ATTEMPT, within=SOON)

    assert (report.outcome, report.detail, report.output) == (Outcome.DONE, "exit 0", "said")


def test_a_command_that_ends_badly_tells_its_last_words(ssh: SshActor) -> None:
    action = an_action("ssh", on="db-a1", run=["sh", "-c", "echo no room >&2; exit 4"])

    report = ssh.perform(action, AN_ATTEMPT, within=SOON)

    assert (report.outcome, report.detail) == (Outcome.FAILED, "exit 4: no room")


def test_a_command_that_does_not_end_in_time_is_unknown(ssh: SshActor) -> None:
    ssh.perform(an_action("ssh", on="db-a1", run=["true"]), AN_ATTEMPT, within=SOON)

    report = ssh.perform(
        an_action("ssh", on="db-a1", run=["sleep", "9"]), AN_ATTEMPT, within=AT_ONCE
    )

    assert report.outcome is Outcome.UNKNOWN


def test_a_statement_that_ends_well_is_done(sql: SqlActor, postgresql: RealPostgresql) -> None:
    action = an_action(
        "sql",
        on="orders-db/db-a1",
        query="insert into recover_marker select m, 1 from unnest(%(names)s::text[]) as m",
        values={"names": ["one'; --", "two"]},
    )

    report = sql.perform(action, AN_ATTEMPT, within=SOON)

    assert (report.outcome, report.detail) == (Outcome.DONE, "orders-db/db-a1: INSERT 0 2")
    with postgresql.connect() as connection:
        found = connection.execute("select run from recover_marker where seq = 1 order by run")
        assert found.fetchall() == [("one'; --",), ("two",)]


def test_statements_that_bear_no_transaction_follow_each_other(sql: SqlActor) -> None:
    statements = ["alter system set work_mem = '5MB'", "alter system reset work_mem"]
    action = an_action("sql", on=["orders-db/db-a1"], query=statements)

    assert sql.perform(action, AN_ATTEMPT, within=SOON).outcome is Outcome.DONE


def test_no_members_at_all_is_nothing_to_do(sql: SqlActor) -> None:
    action = an_action("sql", on=[], query="select pg_promote(false)")

    assert sql.perform(action, AN_ATTEMPT, within=SOON).outcome is Outcome.DONE


def test_a_statement_that_the_server_refuses_is_failed(sql: SqlActor) -> None:
    action = an_action("sql", on="orders-db/db-a1", query="select pg_promote(false)")

    report = sql.perform(action, AN_ATTEMPT, within=SOON)

    assert report.outcome is Outcome.FAILED
    assert "recovery is not in progress" in report.detail


def test_a_statement_that_does_not_end_in_time_is_unknown(sql: SqlActor) -> None:
    sql.perform(an_action("sql", on="orders-db/db-a1", query="select 1"), AN_ATTEMPT, within=SOON)
    action = an_action("sql", on="orders-db/db-a1", query="select pg_sleep(9)")

    assert sql.perform(action, AN_ATTEMPT, within=AT_ONCE).outcome is Outcome.UNKNOWN


def test_an_absent_server_was_not_tried(sql: SqlActor) -> None:
    with pytest.raises(TargetUnavailable, match="refused"):
        sql.perform(
            an_action("sql", on="orders-db/db-down", query="checkpoint"), AN_ATTEMPT, within=SOON
        )


def test_an_absent_second_member_does_not_hide_what_the_first_did(sql: SqlActor) -> None:
    action = an_action("sql", on=["orders-db/db-a1", "orders-db/db-down"], query="checkpoint")

    report = sql.perform(action, AN_ATTEMPT, within=SOON)

    assert report.outcome is Outcome.FAILED
    assert report.detail.endswith("(after orders-db/db-a1: CHECKPOINT)")


PAGES = {
    "/weights": Page(status=201, echoes=True),
    "/away": Page(status=302, headers={"Location": "/weights"}),
    "/break": Page(breaks_off=True),
}


@pytest.fixture
def balancer() -> Iterator[str]:
    with web_server(PAGES) as address:
        yield address


@pytest.fixture
def http() -> Iterator[HttpActor]:
    exchange = HttpExchange()
    yield HttpActor(exchange)
    exchange.close()


def test_a_request_with_the_wanted_answer_is_done(http: HttpActor, balancer: str) -> None:
    action = an_action("http", url=f"{balancer}/weights", json={"b": 10}, status=[201])

    report = http.perform(action, AN_ATTEMPT, within=SOON)

    assert (report.outcome, report.output) == (Outcome.DONE, '{"b":10}')


def test_a_redirect_is_an_answer_and_not_followed(http: HttpActor, balancer: str) -> None:
    report = http.perform(an_action("http", url=f"{balancer}/away"), AN_ATTEMPT, within=SOON)

    assert (report.outcome, report.detail) == (Outcome.FAILED, f"{balancer}/away: status 302")


@pytest.mark.parametrize("path", ["hang", "break"])
def test_a_lost_answer_is_unknown(http: HttpActor, balancer: str, path: str) -> None:
    report = http.perform(an_action("http", url=f"{balancer}/{path}"), AN_ATTEMPT, within=AT_ONCE)

    assert report.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:{closed}/", "nothing listens"),
        ("http://169.254.169.254/latest/meta-data", "link-local"),
        ("file:///etc/passwd", "protocol"),
        ("http://[::bad", "Invalid"),
    ],
    ids=["closed port", "cloud metadata", "no http", "no address"],
)
def test_a_request_that_cannot_be_sent_was_not_tried(
    http: HttpActor, closed_port: int, url: str, reason: str
) -> None:
    action = an_action("http", url=url.replace("{closed}", str(closed_port)))

    with pytest.raises(TargetUnavailable, match=reason):
        http.perform(action, AN_ATTEMPT, within=SOON)
