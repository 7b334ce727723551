"""The shop itself: without it there is nothing to recover. Needs no lab."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.real_postgresql import RealPostgresql, real_postgresql
from tests.support.real_shop import PASSWORD, RealShop, prepare_for_shop, real_shop
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def postgresql() -> Iterator[RealPostgresql]:
    with real_postgresql() as server:
        prepare_for_shop(server)
        yield server


@pytest.fixture(scope="module")
def shop(postgresql: RealPostgresql) -> Iterator[RealShop]:
    with real_shop(postgresql, "app-a1") as shop:
        yield shop


@pytest.fixture
def browser(shop: RealShop) -> Iterator[httpx.Client]:
    """Somebody who has logged in."""
    with httpx.Client(base_url=shop.url, trust_env=False, timeout=20) as client:
        reply = client.post("/login", json={"user": "synthetic-1", "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {reply.json()['token']}"
        yield client


def test_order_is_placed_at_once_and_confirmed_a_little_later(browser: httpx.Client) -> None:
    placed = browser.post("/orders", json={"item": 1, "quantity": 2, "reference": "r-1"})

    assert placed.status_code == 201
    assert placed.json() == {
        "id": placed.json()["id"],
        "reference": "r-1",
        "status": "placed",
        "site": "a",
        "server": "app-a1",
    }
    order = f"/orders/{placed.json()['id']}"
    wait_until(lambda: browser.get(order).json()["status"] == "confirmed", "confirmed", within_s=3)


def test_session_is_known_to_every_server(
    browser: httpx.Client, postgresql: RealPostgresql
) -> None:
    placed = browser.post("/orders", json={"item": 1, "quantity": 2, "reference": "r-2"}).json()

    with real_shop(postgresql, "app-b1") as other:
        seen = browser.get(f"{other.url}/orders/{placed['id']}")

    assert (seen.status_code, seen.json()["reference"]) == (200, "r-2")


def test_two_servers_that_start_at_once_on_an_empty_database_both_serve() -> None:
    with real_postgresql() as server:
        prepare_for_shop(server)
        with real_shop(server, "app-a1") as one, real_shop(server, "app-b1") as other:
            for shop in (one, other):
                items = httpx.get(f"{shop.url}/items", trust_env=False).json()["items"]
                assert len(items) == 4


def test_orders_left_behind_by_a_dead_server_are_confirmed_by_another(
    shop: RealShop, postgresql: RealPostgresql
) -> None:
    postgresql.execute(
        """insert into "order" (reference, item, quantity, username, site, server)
           values ('left-behind', 1, 1, 'synthetic-1', 'b', 'app-b1')""",
        dbname="shop",
    )

    def is_confirmed() -> bool:
        with postgresql.connect(dbname="shop") as connection:
            return connection.execute(
                """select status from "order" where reference = 'left-behind'"""
            ).fetchone() == ("confirmed",)

    assert shop.process.poll() is None
    wait_until(is_confirmed, "confirmed by whoever is there", within_s=3)


def test_session_ends_with_the_log_out(browser: httpx.Client) -> None:
    assert browser.post("/logout").status_code == 200
    assert browser.get("/orders/1").status_code == 401


def test_expired_session_is_none(browser: httpx.Client, postgresql: RealPostgresql) -> None:
    postgresql.execute("update session set expires = now()", dbname="shop")

    assert browser.get("/orders/1").json() == {"error": "no such session, or it has expired"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": "synthetic-1", "password": "wrong"}, 401),
        ({"user": "root", "password": PASSWORD}, 401),
        ({"user": ["synthetic-1"], "password": PASSWORD}, 401),
        ({}, 401),
    ],
)
def test_wrong_user_or_password_is_refused(
    shop: RealShop, body: dict[str, object], status: int
) -> None:
    reply = httpx.post(f"{shop.url}/login", json=body, trust_env=False)

    assert (reply.status_code, reply.json()) == (status, {"error": "wrong user or password"})


@pytest.mark.parametrize(
    "body",
    [
        {"item": 99, "quantity": 1, "reference": "r"},
        {"item": 1, "quantity": 0, "reference": "r"},
        {"item": 1, "quantity": 2**40, "reference": "r"},
        {"item": True, "quantity": 1, "reference": "r"},
        {"item": 1, "quantity": 1, "reference": "'; drop table item; --"},
        {"item": 1, "quantity": 1},
        [],
    ],
)
def test_order_that_makes_no_sense_is_refused(browser: httpx.Client, body: object) -> None:
    reply = browser.post("/orders", json=body)

    assert reply.status_code == 400
    assert set(reply.json()) == {"error"}


@pytest.mark.parametrize("path", ["/", "/orders/7x", "/orders/123456789", "/../etc/passwd"])
def test_what_is_not_there_is_not_found(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"x" * 100_000])
def test_body_that_is_no_object_is_refused(shop: RealShop, content: bytes) -> None:
    reply = httpx.post(f"{shop.url}/login", content=content, trust_env=False)

    assert reply.status_code == 400


def test_body_without_its_length_is_refused(shop: RealShop) -> None:
    reply = httpx.post(f"{shop.url}/login", content=iter([b"{}"]), trust_env=False)

    assert reply.status_code == 400


def test_request_waits_for_a_database_that_pauses(
    browser: httpx.Client, postgresql: RealPostgresql
) -> None:
    postgresql.freeze()
    threading.Timer(1, postgresql.thaw).start()
    began = time.monotonic()
    reply = browser.get("/items")

    assert reply.status_code == 200
    assert time.monotonic() - began > 0.5


def test_request_gives_up_on_a_database_that_hangs_and_finds_it_again(
    browser: httpx.Client, postgresql: RealPostgresql
) -> None:
    postgresql.freeze()
    began = time.monotonic()
    try:
        reply = browser.get("/items")
    finally:
        postgresql.thaw()

    assert reply.status_code == 503
    assert 9 < time.monotonic() - began < 13
    wait_until(lambda: browser.get("/health").status_code == 200, "healthy again")


def test_shop_serves_again_after_the_database_was_killed(
    browser: httpx.Client, postgresql: RealPostgresql
) -> None:
    postgresql.kill()
    assert browser.get("/items").status_code == 503

    postgresql.start()

    wait_until(lambda: browser.get("/items").status_code == 200, "serving again")
