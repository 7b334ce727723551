"""The lab's shop as a real process, on a real database."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.real_postgresql import RealPostgresql, free_port
from tests.support.waiting import wait_until

PASSWORD = "swordfish"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class RealShop:
    """One server of the shop."""

    url: str
    process: subprocess.Popen[bytes]


def prepare_for_shop(server: RealPostgresql) -> None:
    """Make the roles, the database and the table for markers that the lab would have."""
    server.execute("create role shop login", "create role canary login")
    server.execute("create database shop owner shop")
    server.execute(
        """create table recover_marker (run text not null, seq bigint not null,
               at timestamptz not null default clock_timestamp())""",
        "alter table recover_marker owner to canary",
        dbname="shop",
    )


@contextmanager
def real_shop(server: RealPostgresql, name: str) -> Iterator[RealShop]:
    """A shop server called *name* that answers."""
    port = free_port()
    config = {
        "listen": "127.0.0.1",
        "port": port,
        "site": name[-2],
        "server": name,
        "database": {**server.database("shop", "shop"), "password": "unused"},
        "synthetic_password": PASSWORD,
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.lab.shop", file.name],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        try:
            shop = RealShop(url=f"http://127.0.0.1:{port}", process=process)
            wait_until(lambda: _is_open(shop), "the shop answers")
            yield shop
        finally:
            process.kill()
            process.wait()


def _is_open(shop: RealShop) -> bool:
    try:
        return httpx.get(f"{shop.url}/health", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
