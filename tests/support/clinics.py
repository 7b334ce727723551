"""A clinic: real servers to examine, and ailments to give them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from orchestrator.adapters.diagnosing.examining import Examiner, Request
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.diagnosis import Ailment, Examination
from orchestrator.domain.environment import Environment, HostName, Service, ServiceName
from tests.support.real_postgresql import RealPostgresql
from tests.support.waiting import wait_until

DURABLE_HERE = "set synchronous_commit = local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """Examines ``db-a1`` from ``pool-a1`` and ``client-1``; ``db-a2`` testifies."""

    environment: Environment
    secrets: SecretStore

    def examine(
        self,
        *places: str,
        on: str = "db-a1",
        account: str = "operator",
        standbys: tuple[str, ...] = ("db-a2",),
    ) -> Examination:
        request = Request(
            primary=f"orders-db/{on}",
            places=places or ("pool-a1", "client-1"),
            standbys=tuple(f"orders-db/{standby}" for standby in standbys),
            account=account,
            table="recover_marker",
        )
        sql = SqlSessions(self.environment, self.secrets)
        ssh = SshSessions(self.environment, self.secrets)
        try:
            return Examiner(self.environment, sql, ssh).examine(request)
        finally:
            sql.close()
            ssh.close()

    def entered_at(self, port: int) -> Clinic:
        """Return a clinic whose users come through a pooler that listens on *port*."""
        services = dict(self.environment.services)
        orders = services[ServiceName("orders-db")]
        services[orders.name] = replace(orders, entry="orders-pool")
        pool = Service(
            name=ServiceName("orders-pool"),
            engine="pgbouncer",
            members=(HostName("pool-a1"),),
            port=port,
            accounts=orders.accounts,
        )
        services[pool.name] = pool
        return replace(self, environment=replace(self.environment, services=services))


def ailments(seen: Examination) -> list[Ailment]:
    return [sight.ailment for sight in seen.sights]


def details(seen: Examination) -> set[str]:
    return {sight.detail for sight in seen.sights}


def with_primary_at(clinic: Clinic, port: int) -> Clinic:
    """Return a clinic whose primary listens, or not, on *port*."""
    hosts = dict(clinic.environment.hosts)
    name = HostName("db-a1")
    variables = {**hosts[name].variables, "postgresql_port": port}
    hosts[name] = replace(hosts[name], variables=variables)
    return replace(clinic, environment=replace(clinic.environment, hosts=hosts))


@contextmanager
def a_black_hole() -> Iterator[int]:
    """A port whose queue is full, so that the kernel lets every further connect wait."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        yield port


@contextmanager
def setting(server: RealPostgresql, name: str, value: str) -> Iterator[None]:
    """Let *name* be *value*, as far as a reload can."""
    _configure(server, f"alter system set {name} = '{value}'")
    wait_until(lambda: _shows(server, name) == value, f"{name} is {value}")
    try:
        yield
    finally:
        _configure(server, f"alter system reset {name}")
        wait_until(lambda: _shows(server, name) != value, f"{name} is not {value} any more")


def _configure(server: RealPostgresql, statement: str) -> None:
    server.execute(DURABLE_HERE, statement, "select pg_reload_conf()")


def _shows(server: RealPostgresql, name: str) -> str:
    with server.connect() as session:
        row = session.execute("select current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])
