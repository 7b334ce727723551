"""A small shop to recover: real HTTP on a real database.

Run it as ``python -m orchestrator.lab.shop CONFIG.json``.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg

from orchestrator.lab.shop_store import Pool, Server, ShopUnavailable, Store

_LOG = logging.getLogger("shop")
_USERS = frozenset(f"synthetic-{n}" for n in range(1, 10))
_LARGEST_BODY_BYTES = 64 * 1024
_LARGEST_ID = 2**31 - 1
_REFERENCE = re.compile(r"[\w.:-]{1,200}")

Reply = tuple[HTTPStatus, Mapping[str, Any]]


class Refused(Exception):
    """The request cannot be served as it is; carries the status to answer with."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What the shop does, apart from HTTP and SQL."""

    store: Store
    password: str
    order_placed: threading.Event = field(default_factory=threading.Event)

    def health(self) -> Reply:
        """Say whether the database answers a real query."""
        self.store.is_healthy()
        return HTTPStatus.OK, {
            "status": "ok",
            "site": self.store.server.site,
            "server": self.store.server.name,
        }

    def log_in(self, body: Mapping[str, Any]) -> Reply:
        """Trade a name and a password for a token."""
        user, given = str(body.get("user", "")), str(body.get("password", ""))
        right = hmac.compare_digest(given.encode(), self.password.encode())
        if not right or user not in _USERS:
            raise Refused(HTTPStatus.UNAUTHORIZED, "wrong user or password")
        return HTTPStatus.OK, {"token": self.store.log_in(user)}

    def log_out(self, token: str) -> Reply:
        """End the session of *token*."""
        self.store.log_out(token)
        return HTTPStatus.OK, {"status": "logged out"}

    def user(self, token: str) -> str:
        """Return whose token it is, or refuse."""
        if user := self.store.user_of(token):
            return user
        raise Refused(HTTPStatus.UNAUTHORIZED, "no such session, or it has expired")

    def place_order(self, user: str, body: Mapping[str, Any]) -> Reply:
        """Place an order; it is confirmed a little later."""
        item, quantity = _number(body, "item"), _number(body, "quantity")
        reference = body.get("reference")
        if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
            raise Refused(HTTPStatus.BAD_REQUEST, "reference must be a short word")
        order = self.store.place(user, item, quantity, reference)
        if order is None:
            raise Refused(HTTPStatus.BAD_REQUEST, f"no item {item}")
        self.order_placed.set()
        return HTTPStatus.CREATED, order

    def order(self, user: str, number: int) -> Reply:
        """Show one order of the user."""
        if order := self.store.order(user, number):
            return HTTPStatus.OK, order
        raise Refused(HTTPStatus.NOT_FOUND, f"no order {number}")

    def confirm_for_ever(self) -> None:
        """Confirm orders as they are placed, and those that a dead server left behind."""
        while True:
            self.order_placed.wait(timeout=0.25)
            self.order_placed.clear()
            try:
                self.store.confirm_placed()
            except (ShopUnavailable, psycopg.Error) as error:
                _LOG.warning("orders stay unconfirmed for now: %s", error)


def _number(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LARGEST_ID:
        raise Refused(HTTPStatus.BAD_REQUEST, f"{name} must be a positive whole number")
    return value


class ShopServer(ThreadingHTTPServer):
    """One thread a connection, which stays open between requests."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], shop: Shop) -> None:
        super().__init__(address, _Handler)
        self.shop = shop

    def server_bind(self) -> None:
        """Bind without the look-up of the own name that would wait for a name server."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def handle_error(self, *_: object) -> None:
        """Pass over clients that left; log anything else."""
        if not isinstance(sys.exception(), ConnectionError):
            _LOG.exception("a request failed")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Buffered, so that head and body leave in one packet.
    wbufsize = -1
    timeout = 120
    server: ShopServer

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _get(self) -> Reply:
        shop = self.server.shop
        if self.path == "/health":
            return shop.health()
        if self.path == "/items":
            return HTTPStatus.OK, {"items": shop.store.items()}
        if found := re.fullmatch(r"/orders/([0-9]{1,18})", self.path):
            return shop.order(shop.user(self._token()), int(found[1]))
        raise Refused(HTTPStatus.NOT_FOUND, "no such page")

    def _post(self) -> Reply:
        shop, body = self.server.shop, self._body()
        if self.path == "/login":
            return shop.log_in(body)
        if self.path == "/orders":
            return shop.place_order(shop.user(self._token()), body)
        if self.path == "/logout":
            return shop.log_out(self._token())
        raise Refused(HTTPStatus.NOT_FOUND, "no such page")

    def _answer(self, serve: Callable[[], Reply]) -> None:
        try:
            status, reply = serve()
        except Refused as refusal:
            status, reply = refusal.status, {"error": str(refusal)}
        except ShopUnavailable as reason:
            status, reply = HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(reason)}
        except psycopg.Error as error:
            status, reply = HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error).strip()}
        content = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _token(self) -> str:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refused(HTTPStatus.UNAUTHORIZED, "log in first")
        return token

    def _body(self) -> Mapping[str, Any]:
        length = self.headers.get("Content-Length", "0")
        is_chunked = "Transfer-Encoding" in self.headers
        if is_chunked or not length.isdecimal() or int(length) > _LARGEST_BODY_BYTES:
            self.close_connection = True
            raise Refused(HTTPStatus.BAD_REQUEST, "body missing its length, or too large")
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "body is not JSON") from error
        if not isinstance(body, dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "body is not a JSON object")
        return body

    def log_message(self, *_: object) -> None:
        """Keep silent: an access log at hundreds of requests a second helps nobody here."""


def serve(config: Mapping[str, Any]) -> None:
    """Serve the shop that *config* describes until the process is stopped."""
    store = Store(
        pool=Pool(database=config["database"]),
        server=Server(site=config["site"], name=config["server"]),
    )
    shop = Shop(store=store, password=config["synthetic_password"])
    with ShopServer((config["listen"], config["port"]), shop) as server:
        threading.Thread(target=_work, args=[shop], daemon=True, name="confirm").start()
        server.serve_forever()


def _work(shop: Shop) -> None:
    shop.store.prepare_when_possible()
    _LOG.warning("ready")
    shop.confirm_for_ever()


if __name__ == "__main__":
    logging.basicConfig(format="%(name)s: %(message)s")
    serve(json.loads(Path(sys.argv[1]).read_text()))
