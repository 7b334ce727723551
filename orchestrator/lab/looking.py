"""Looking at a lab from the controller: SSH, PostgreSQL, pooler and shop of every host."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg

from orchestrator.lab.status import HostStatus, LabStatus
from orchestrator.lab.topology import Blueprint, Host, Role

_PATIENCE_S = 2
_PRIMARY, _STANDBY = "postgresql (primary)", "postgresql (standby)"
_CONSOLE = "pgbouncer"
_POOLER, _SHOP = "pgbouncer", "shop"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """What one look at one host showed; *streams* names the standbys that follow it."""

    host: Host
    is_up: bool
    runs: tuple[str, ...] = ()
    streams: frozenset[str] = frozenset()


def look(blueprint: Blueprint, home: Path) -> LabStatus:
    """Look at every host at once, with the passwords below *home*."""
    with ThreadPoolExecutor(len(blueprint.hosts)) as pool:
        sights = list(pool.map(lambda host: _look_at(host, blueprint, home), blueprint.hosts))
    return LabStatus(
        kind=blueprint.kind,
        environment=blueprint.environment,
        hosts=tuple(_status(sight) for sight in sights),
        problems=tuple(_problems(sights)),
    )


def _status(sight: _Sight) -> HostStatus:
    host = sight.host
    return HostStatus(
        name=host.name,
        site=host.site,
        addresses=tuple(dict.fromkeys((host.management, host.address))),
        state="up" if sight.is_up else "down",
        runs=sight.runs,
    )


def _problems(sights: Iterable[_Sight]) -> Iterable[str]:
    seen = list(sights)
    expected = {Role.POOLER: _POOLER, Role.APP: _SHOP}
    for sight in seen:
        if not sight.is_up:
            yield f"{sight.host.name}: SSH does not answer at {sight.host.management}"
        service = expected.get(sight.host.role)
        if service and service not in sight.runs:
            yield f"{sight.host.name}: {service} does not answer"
    yield from _database_problems([s for s in seen if s.host.role is Role.DATABASE])


def _database_problems(databases: list[_Sight]) -> Iterable[str]:
    for sight in databases:
        if not sight.runs:
            yield f"{sight.host.name}: postgresql does not answer"
    primaries = [sight for sight in databases if _PRIMARY in sight.runs]
    if len(primaries) != 1:
        names = ", ".join(sight.host.name for sight in primaries) or "none"
        yield f"postgresql: exactly one primary expected, found {names}"
        return
    for sight in databases:
        if _STANDBY in sight.runs and sight.host.name not in primaries[0].streams:
            yield f"{sight.host.name}: does not stream from {primaries[0].host.name}"


def _look_at(host: Host, blueprint: Blueprint, home: Path) -> _Sight:
    ports = blueprint.ports
    is_up = _ssh_answers(host.management, ports.ssh)
    runs: tuple[str, ...] = ()
    match host.role:
        case Role.DATABASE:
            return _look_at_database(host, ports.postgresql, home, is_up=is_up)
        case Role.POOLER if _pooler_answers(host.management, ports.pgbouncer, home):
            runs = (_POOLER,)
        case Role.APP if _shop_answers(host.management, ports.shop):
            runs = (_SHOP,)
        case _:
            pass
    return _Sight(host=host, is_up=is_up, runs=runs)


def _ssh_answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=_PATIENCE_S) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _look_at_database(host: Host, port: int, home: Path, *, is_up: bool) -> _Sight:
    try:
        with _connect(host.management, port, home, "recover_reader", "postgres") as session:
            row = session.execute("SELECT pg_is_in_recovery()").fetchone()
            following = session.execute(
                "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'"
            ).fetchall()
    except psycopg.Error:
        return _Sight(host=host, is_up=is_up)
    return _Sight(
        host=host,
        is_up=is_up,
        runs=(_STANDBY if row == (True,) else _PRIMARY,),
        streams=frozenset(str(name) for (name,) in following),
    )


def _pooler_answers(address: str, port: int, home: Path) -> bool:
    try:
        # The console answers also while clients are paused; a query of theirs would wait.
        with _connect(address, port, home, "recover_reader", _CONSOLE) as session:
            return session.execute("SHOW DATABASES").fetchone() is not None
    except psycopg.Error:
        return False


def _connect(
    address: str, port: int, home: Path, user: str, database: str
) -> psycopg.Connection[tuple[object, ...]]:
    """Connect without a transaction of our own, which would itself be a long one if we hang."""
    password = home / "secrets" / user
    return psycopg.connect(
        host=address,
        port=port,
        user=user,
        dbname=database,
        password=password.read_text(encoding="ascii") if password.exists() else "",
        connect_timeout=_PATIENCE_S,
        options="" if database == _CONSOLE else f"-c statement_timeout={_PATIENCE_S}s",
        autocommit=True,
        prepare_threshold=None,
    )


def _shop_answers(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
