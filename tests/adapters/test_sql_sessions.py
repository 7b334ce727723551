"""Statements against a real PostgreSQL: answers, and troubles told apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.sql_sessions import MOST_IDLE, SqlSessions
from orchestrator.adapters.sql_statements import Answer, Login
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.trouble import Trouble, TroubleKind
from orchestrator.domain.errors import TargetUnavailable
from tests.support.environments import a_database, a_host, an_environment
from tests.support.real_postgresql import RealPostgresql
from tests.support.waiting import wait_until

OPERATOR = Login(member="orders-db/db-a1", account="operator")
READER = Login(member="orders-db/db-a1", account="operator", is_read_only=True)


@pytest.fixture
def sessions(postgresql: RealPostgresql) -> Iterator[SqlSessions]:
    sessions = sessions_on(postgresql.port)
    yield sessions
    sessions.close()


def sessions_on(port: int) -> SqlSessions:
    environment = an_environment(
        hosts=[a_host("db-a1", postgresql_port=port)], services=[a_database("db-a1")]
    )
    return SqlSessions(environment, SecretStore(Path()))


def soon(seconds: float = 10.0) -> Deadline:
    return Deadline.after(timedelta(seconds=seconds))


def our_sessions(postgresql: RealPostgresql) -> int:
    with postgresql.connect() as connection:
        rows = connection.execute(
            "select from pg_stat_activity where application_name = 'recover'"
        ).fetchall()
    return len(rows)


def answered(answer: Answer | Trouble) -> Answer:
    assert isinstance(answer, Answer), answer
    return answer


def trouble(answer: Answer | Trouble) -> Trouble:
    assert isinstance(answer, Trouble), answer
    return answer


def test_rows_come_by_column(sessions: SqlSessions) -> None:
    answer = sessions.look(READER, "select 1 as a, null as b, true as c", deadline=soon())

    assert answered(answer).rows == ({"a": 1, "b": None, "c": True},)


def test_a_value_is_bound_and_never_becomes_a_part_of_the_query(sessions: SqlSessions) -> None:
    hostile = "'; drop table x; -- ${target} {{ 7*7 }}"

    answer = sessions.look(READER, "select %(said)s as said", {"said": hostile}, deadline=soon())

    assert answered(answer).rows == ({"said": hostile},)


def test_a_percent_sign_without_values_is_just_that(sessions: SqlSessions) -> None:
    answer = sessions.look(READER, "select 'a%b' like 'a%' as fits", deadline=soon())

    assert answered(answer).rows == ({"fits": True},)


def test_a_reading_login_cannot_write_whatever_its_account_may(sessions: SqlSessions) -> None:
    refused = trouble(sessions.look(READER, "create table x (i int)", deadline=soon()))

    assert refused.kind is TroubleKind.READ_ONLY


def test_an_error_carries_message_and_state(sessions: SqlSessions) -> None:
    said_no = trouble(sessions.execute(OPERATOR, "select 1/0", deadline=soon()))

    assert said_no.kind is TroubleKind.ERROR
    assert said_no.detail == "orders-db/db-a1: division by zero (22012)"


def test_the_connection_is_used_again(sessions: SqlSessions) -> None:
    pids = {
        answered(sessions.look(READER, "select pg_backend_pid() as pid", deadline=soon())).rows[0][
            "pid"
        ]
        for _ in range(3)
    }

    assert len(pids) == 1


def test_after_many_looks_at_once_few_connections_stay(
    sessions: SqlSessions, postgresql: RealPostgresql
) -> None:
    with ExitStack() as looks:
        for _ in range(MOST_IDLE + 3):
            looks.enter_context(sessions.borrow(READER, deadline=soon()))

    wait_until(lambda: our_sessions(postgresql) == MOST_IDLE, "only so many sessions stay")


def test_no_borrower_finds_an_open_transaction(sessions: SqlSessions) -> None:
    answered(sessions.execute(OPERATOR, "begin", deadline=soon()))

    state = sessions.execute(
        OPERATOR, "select now() = statement_timestamp() as alone", deadline=soon()
    )

    assert answered(state).rows == ({"alone": True},)


def test_a_connection_that_the_server_ended_is_replaced_before_anything_is_sent(
    sessions: SqlSessions, postgresql: RealPostgresql
) -> None:
    sessions.warm([OPERATOR], within=timedelta(seconds=5))
    postgresql.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where application_name = 'recover'"
    )

    answer = sessions.execute(OPERATOR, "select 1 as one", deadline=soon())

    assert answered(answer).rows == ({"one": 1},)


def test_a_statement_whose_connection_breaks_is_not_sent_twice(sessions: SqlSessions) -> None:
    lost = trouble(
        sessions.execute(
            OPERATOR, "select pg_terminate_backend(pg_backend_pid())", deadline=soon()
        )
    )

    assert (lost.kind, lost.was_sent) == (TroubleKind.LOST, True)


def test_a_slow_statement_is_given_up_at_the_deadline(sessions: SqlSessions) -> None:
    began = time.monotonic()

    late = trouble(sessions.execute(OPERATOR, "select pg_sleep(20)", deadline=soon(0.5)))

    assert (late.kind, late.was_sent) == (TroubleKind.HUNG, True)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
def test_a_hung_server_is_no_answer_in_time(
    sessions: SqlSessions, postgresql: RealPostgresql, is_warm: bool
) -> None:
    if is_warm:
        sessions.warm([READER], within=timedelta(seconds=5))
    postgresql.freeze()
    try:
        began = time.monotonic()
        hung = trouble(sessions.look(READER, "select 1", deadline=soon(0.5)))
        took = time.monotonic() - began
    finally:
        postgresql.thaw()

    assert (hung.kind, hung.was_sent) == (TroubleKind.HUNG, is_warm)
    assert 0.4 < took < 1.5


def test_a_closed_port_is_refused(closed_port: int) -> None:
    refused = trouble(sessions_on(closed_port).look(READER, "select 1", deadline=soon()))

    assert (refused.kind, refused.was_sent) == (TroubleKind.REFUSED, False)


def test_a_black_hole_is_not_a_refusal(silent_port: int) -> None:
    hung = trouble(sessions_on(silent_port).look(READER, "select 1", deadline=soon(0.3)))

    assert (hung.kind, hung.was_sent) == (TroubleKind.HUNG, False)


def test_a_wrong_password_is_told_from_an_absent_server(postgresql: RealPostgresql) -> None:
    environment = an_environment(
        hosts=[a_host("db-a1", postgresql_port=postgresql.port)],
        services=[a_database("db-a1", user="nobody-known")],
    )
    sessions = SqlSessions(environment, SecretStore(Path()))

    refused = trouble(sessions.look(READER, "select 1", deadline=soon()))

    assert refused.kind is TroubleKind.REJECTED


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        (Login(member="orders-db/db-z9", account="operator"), "no member"),
        (Login(member="db-a1", account="operator"), "no member"),
        (Login(member="orders-db/db-a1", account="stranger"), "no account"),
    ],
    ids=["unknown host", "no service named", "unknown account"],
)
def test_a_login_that_the_environment_does_not_know_is_not_tried(
    sessions: SqlSessions, login: Login, reason: str
) -> None:
    with pytest.raises(TargetUnavailable, match=reason):
        sessions.look(login, "select 1", deadline=soon())


def test_variables_of_our_surroundings_change_nothing(
    sessions: SqlSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGOPTIONS": "-c search_path=evil",
        "PGTARGETSESSIONATTRS": "standby",
        "PGAPPNAME": "evil",
        "PGHOST": "192.0.2.1",
    }.items():
        monkeypatch.setenv(name, value)

    answer = sessions.look(
        OPERATOR,
        "select current_setting('search_path') as path,"
        " current_setting('application_name') as program",
        deadline=soon(),
    )

    assert answered(answer).rows == ({"path": '"$user", public', "program": "recover"},)
