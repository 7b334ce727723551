from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from orchestrator.adapters.journey_walker import JourneyWalker, Surroundings, WalkResult
from orchestrator.domain.expectation import Condition, Expectation
from orchestrator.domain.journey import Journey, JourneyAction, JourneyActionKind, Place
from orchestrator.domain.playbook import JourneyName
from tests.support.hostile_http import HostileHttp, hostile_http
from tests.support.journeys import journey_at, surroundings_of
from tests.support.real_postgresql import RealPostgresql
from tests.support.real_shop import RealShop


@pytest.fixture
def walker(
    postgresql: RealPostgresql, shops: tuple[RealShop, RealShop]
) -> Iterator[JourneyWalker]:
    walker = JourneyWalker(journey_at(*shops), surroundings_of(postgresql))
    yield walker
    walker.close()


def walk_over_http(
    hostile: HostileHttp, *actions: JourneyAction, within_s: float = 5, secret: str = ""
) -> WalkResult:
    """Walk a journey of *actions* at a server that may mean harm."""
    place = Place(here=hostile.url, there=hostile.url)
    journey = Journey(
        journey=JourneyName("probe-it"), title="", places=(place,), actions=tuple(actions)
    )
    walker = JourneyWalker(journey, Surroundings(secrets={"key": secret}))
    result = walker.walk(1, reference="ref-1", within_s=within_s)
    walker.close()
    return result


def get(
    path: str,
    *,
    expect: Mapping[str, Expectation] | None = None,
    keep: Mapping[str, str] | None = None,
    patience: float = 0,
    headers: Mapping[str, str] | None = None,
) -> JourneyAction:
    return JourneyAction(
        name=f"get {path}",
        kind=JourneyActionKind.HTTP,
        inputs={"url": "${place.here}" + path, "headers": headers or {}},
        expect=expect or {},
        keep=keep or {},
        patience=timedelta(seconds=patience),
    )


def sql(query: str, values: Mapping[str, str] | None = None) -> JourneyAction:
    return JourneyAction(
        name="ask",
        kind=JourneyActionKind.SQL,
        inputs={"on": "orders-pool", "query": query, "values": values or {}},
        expect={"rows": 1},
    )


def walk_over_sql(postgresql: RealPostgresql, action: JourneyAction) -> WalkResult:
    place = Place(here="http://127.0.0.1:9", there="http://127.0.0.1:9")
    journey = Journey(journey=JourneyName("ask"), title="", places=(place,), actions=(action,))
    walker = JourneyWalker(journey, surroundings_of(postgresql))
    result = walker.walk(1, reference="O'Brien", within_s=1)
    walker.close()
    return result


def test_walk_passes_every_action_and_brings_back_a_receipt(walker: JourneyWalker) -> None:
    result = walker.walk(1, reference="walk-1", within_s=5)

    assert result.error == ""
    assert result.passed
    assert result.receipts == ("walk-1",)
    assert list(result.took_s) == [
        "log-in",
        "read-items",
        "place-order",
        "read-back",
        "wait-until-confirmed",
        "read-back-from-database",
        "log-out",
    ]
    assert result.sent == result.since < result.done


def test_walks_take_their_places_in_turn(
    walker: JourneyWalker, postgresql: RealPostgresql
) -> None:
    for number in range(4):
        assert walker.walk(number, reference=f"turn-{number}", within_s=5).passed

    with postgresql.connect(dbname="shop") as connection:
        rows = connection.execute(
            """select server from "order" where reference like 'turn-%' order by reference"""
        ).fetchall()
    assert [server for (server,) in rows] == ["app-a1", "app-b1", "app-a1", "app-b1"]


def test_walk_over_a_dead_database_fails_in_time_and_says_where(
    walker: JourneyWalker, postgresql: RealPostgresql
) -> None:
    began = time.monotonic()
    postgresql.freeze()
    try:
        result = walker.walk(1, reference="frozen", within_s=1)
    finally:
        postgresql.thaw()

    assert (result.action, result.receipts) == ("log-in", ())
    assert result.error.startswith("no answer in time")
    assert time.monotonic() - began < 2
    assert walker.walk(2, reference="thawed", within_s=5).passed


def test_expectation_that_is_not_met_fails_with_what_was_seen() -> None:
    with hostile_http({"/": b'{"status": "placed", "n": 3}'}) as hostile:
        action = get("/", expect={"json.status": "confirmed", "json.n": Condition(at_most=2)})
        result = walk_over_http(hostile, action)

    assert result.error == "json.status is placed, not confirmed; json.n is 3, wanted at most 2"


def test_read_with_patience_is_tried_until_its_time_is_over() -> None:
    with hostile_http({"/": b'{"status": "placed"}'}) as hostile:
        began = time.monotonic()
        result = walk_over_http(
            hostile, get("/", expect={"json.status": "confirmed"}, patience=0.3)
        )
        took_s = time.monotonic() - began

    assert not result.passed
    assert 0.25 < took_s < 1
    assert len(hostile.asked) > 3


def test_read_without_patience_is_tried_once() -> None:
    with hostile_http({}) as hostile:
        walk_over_http(hostile, get("/", expect={"status": 200}))

    assert hostile.asked == ["/"]


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        pytest.param("../admin", "/orders/..%2Fadmin", id="another path"),
        pytest.param("1?all=yes#x", "/orders/1%3Fall%3Dyes%23x", id="a query"),
        pytest.param("@evil.example/", "/orders/%40evil.example%2F", id="another host"),
        pytest.param("${secret.key}", "/orders/%24%7Bsecret.key%7D", id="a reference"),
    ],
)
def test_kept_value_is_one_piece_of_a_path_whatever_is_in_it(kept: str, asked: str) -> None:
    with hostile_http({"/first": json.dumps({"id": kept}).encode()}) as hostile:
        walk_over_http(
            hostile,
            get("/first", keep={"id": "json.id"}),
            get("/orders/${kept.id}"),
            secret="swordfish",
        )

    assert hostile.asked == ["/first", asked]


def test_kept_value_cannot_smuggle_a_header() -> None:
    with hostile_http({"/first": json.dumps({"id": "x\r\nEvil: yes"}).encode()}) as hostile:
        result = walk_over_http(
            hostile,
            get("/first", keep={"id": "json.id"}),
            get("/second", headers={"X-Id": "${kept.id}"}),
        )

    assert result.action == "get /second"
    assert hostile.asked == ["/first"]


@pytest.mark.parametrize("body", [b"", b"not json", b"{}", b'{"id": {"a": 1}}', b"[" * 100_000])
def test_value_that_is_not_there_cannot_be_kept(body: bytes) -> None:
    with hostile_http({"/": body}) as hostile:
        result = walk_over_http(hostile, get("/", keep={"id": "json.id"}))

    assert result.error == "json.id is not there to be kept"


def test_endless_reply_is_cut_off() -> None:
    with hostile_http({"/": b" " * (2 * 1024 * 1024)}) as hostile:
        result = walk_over_http(hostile, get("/"))

    assert result.error == "reply is larger than 1048576 bytes"


def test_trickling_reply_cannot_outlast_the_deadline() -> None:
    with hostile_http({"/trickle": b" " * 1000}) as hostile:
        began = time.monotonic()
        result = walk_over_http(hostile, get("/trickle"), within_s=0.5)

    assert "deadline" in result.error
    assert time.monotonic() - began < 2


def test_refused_connection_is_a_failure_with_its_reason() -> None:
    with hostile_http({}) as gone:
        pass

    assert "Connection refused" in walk_over_http(gone, get("/")).error


def test_redirect_is_not_followed() -> None:
    with hostile_http({}) as hostile:
        result = walk_over_http(hostile, get("/nowhere", expect={"status": 200}))

    assert result.error == "status is 404, not 200"


def test_secret_appears_in_no_error() -> None:
    with hostile_http({"/": b'{"echo": "your key is swordfish"}'}) as hostile:
        result = walk_over_http(hostile, get("/", expect={"json.echo": ""}), secret="swordfish")

    assert result.error == "json.echo is your key is ***, not "


def test_reference_to_nothing_fails_the_action() -> None:
    with hostile_http({}) as hostile:
        result = walk_over_http(hostile, get("/${kept.never}"))

    assert result.error == "refers to 'kept.never', not known here"


def test_sql_values_are_bound_never_pasted(postgresql: RealPostgresql) -> None:
    query = "select 1 where %(reference)s = 'O''Brien'"

    assert walk_over_sql(postgresql, sql(query, {"reference": "${walk.reference}"})).passed


@pytest.mark.parametrize(
    ("query", "error"),
    [
        pytest.param(
            "delete from recover_marker returning 1",
            "cannot execute DELETE in a read-only transaction",
            id="a write",
        ),
        pytest.param("select nothing", 'column "nothing" does not exist', id="a mistake"),
        pytest.param("select pg_sleep(5)", "no answer from the database in time", id="too slow"),
        pytest.param("select 1 where false", "rows is 0, not 1", id="no rows"),
    ],
)
def test_sql_that_does_not_answer_as_asked_fails(
    postgresql: RealPostgresql, query: str, error: str
) -> None:
    assert walk_over_sql(postgresql, sql(query)).error == error


def test_database_without_a_way_to_it_is_said(postgresql: RealPostgresql) -> None:
    action = JourneyAction(
        name="ask", kind=JourneyActionKind.SQL, inputs={"on": "elsewhere", "query": "select 1"}
    )

    error = walk_over_sql(postgresql, action).error

    assert error == "no way to the database elsewhere was given"


def test_walk_finds_a_new_connection_when_the_old_one_was_cut(
    walker: JourneyWalker, postgresql: RealPostgresql
) -> None:
    assert walker.walk(1, reference="before", within_s=5).passed

    postgresql.execute(
        """select pg_terminate_backend(pid, 5000) from pg_stat_activity
           where usename in ('canary', 'shop')"""
    )

    assert walker.walk(2, reference="after", within_s=5).error == ""
