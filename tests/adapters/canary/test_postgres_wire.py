from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from orchestrator.adapters.postgres_wire import Lost, Refused, Unreached, Wire
from tests.support.real_postgresql import RealPostgresql, free_port


@pytest.fixture
def wire(postgresql: RealPostgresql) -> Iterator[Wire]:
    wire = Wire(postgresql.database("canary", "shop"))
    wire.ensure_connected(within_s=5)
    yield wire
    wire.close()


def cut_connections(postgresql: RealPostgresql) -> None:
    postgresql.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'canary'"
    )


def test_statement_that_returns_was_acknowledged(wire: Wire, postgresql: RealPostgresql) -> None:
    wire.execute("insert into recover_marker (run, seq) values ('wire', 1)", within_s=5)

    with postgresql.connect(dbname="shop") as connection:
        assert connection.execute(
            "select count(*) from recover_marker where run = 'wire'"
        ).fetchone() == (1,)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        pytest.param("select 1/0", r"division by zero \(22012\)", id="an error of ours"),
        pytest.param(
            "begin read only; insert into recover_marker values ('wire', 2)",
            r"read-only transaction \(25006\)",
            id="a standby's answer",
        ),
    ],
)
def test_refusal_leaves_the_connection_as_it_was(wire: Wire, statement: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        wire.execute(statement, within_s=5)

    wire.execute("rollback", within_s=5)


@pytest.mark.parametrize("code", ["08006", "57P01", "58030", "XX000", "40003"])
def test_error_of_whoever_cannot_speak_for_the_transaction_is_a_loss(
    wire: Wire, code: str
) -> None:
    raising = f"do $$ begin raise exception 'odd' using errcode = '{code}'; end $$"

    with pytest.raises(Lost, match=rf"odd \({code}\)"):
        wire.execute(raising, within_s=5)


def test_connection_that_breaks_under_way_is_a_loss(wire: Wire) -> None:
    with pytest.raises(Lost, match="terminating connection"):
        wire.execute("select pg_terminate_backend(pg_backend_pid())", within_s=5)


def test_silence_is_a_loss_when_its_time_is_over(wire: Wire) -> None:
    began = time.monotonic()

    with pytest.raises(Lost, match="deadline passed while waiting"):
        wire.execute("select pg_sleep(60)", within_s=0.3)

    assert time.monotonic() - began < 1


def test_wait_gives_signs_of_life(postgresql: RealPostgresql) -> None:
    pulses: list[float] = []
    wire = Wire(postgresql.database("canary", "shop"), pulse=lambda: pulses.append(1))
    wire.ensure_connected(within_s=5)

    wire.execute("select pg_sleep(0.5)", within_s=5)

    wire.close()
    assert len(pulses) >= 5


def test_connection_cut_while_idle_is_noticed_before_anything_is_sent(
    wire: Wire, postgresql: RealPostgresql
) -> None:
    cut_connections(postgresql)

    wire.ensure_connected(within_s=5)

    wire.execute("select 1", within_s=5)


def test_connection_that_stands_is_kept(wire: Wire, postgresql: RealPostgresql) -> None:
    wire.execute("create temporary table kept ()", within_s=5)

    wire.ensure_connected(within_s=5)

    wire.execute("select from kept", within_s=5)


def test_nothing_is_sent_without_a_connection(postgresql: RealPostgresql) -> None:
    with pytest.raises(Unreached, match="not connected"):
        Wire(postgresql.database()).execute("select 1", within_s=5)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"port": free_port()}, "Connection refused", id="nobody listens"),
        pytest.param({"host": "/nowhere"}, "No such file or directory", id="no such place"),
        pytest.param({"user": "nobody"}, 'role "nobody" does not exist', id="refused"),
    ],
)
def test_reason_without_a_connection_is_told(
    postgresql: RealPostgresql, change: dict[str, str | int], why: str
) -> None:
    wire = Wire({**postgresql.database("canary", "shop"), **change})

    with pytest.raises(Unreached, match=why):
        wire.ensure_connected(within_s=5)
