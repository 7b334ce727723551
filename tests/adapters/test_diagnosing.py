"""Real primaries with real ailments, looked at from here and through a real SSH server."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orchestrator.adapters.diagnosing.examining import Examiner, Request
from orchestrator.adapters.diagnosing.limits import WHOLE_LIMIT
from orchestrator.adapters.diagnosing.machines import look_at_machine
from orchestrator.adapters.diagnosing.writing import ailment_of
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.trouble import Trouble, TroubleKind
from orchestrator.domain.diagnosis import Ailment, Examination, Witness
from orchestrator.domain.environment import Account, Environment, HostName, Service, ServiceName
from tests.support.environments import a_database, a_host, an_environment
from tests.support.real_postgresql import BIN, RealPostgresql, real_postgresql
from tests.support.real_sshd import RealSshd, real_sshd
from tests.support.real_standbys import real_standbys
from tests.support.waiting import wait_until

SLACK_S = 0.5
"""What a busy machine may add to the time that an examination takes."""
DURABLE_HERE = "set synchronous_commit = local"


@pytest.fixture(scope="module")
def primary() -> Iterator[RealPostgresql]:
    with real_postgresql() as server:
        server.execute("create table recover_marker (run text not null, seq bigint not null)")
        yield server


@pytest.fixture(scope="module")
def standby(primary: RealPostgresql) -> Iterator[RealPostgresql]:
    with real_standbys(primary, "db-a2") as (server,):
        yield server


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


@pytest.fixture
def clinic(
    sshd: RealSshd,
    primary: RealPostgresql,
    standby: RealPostgresql,
    closed_port: int,
    silent_port: int,
) -> Clinic:
    here = {"postgresql_data": str(primary.data), "postgresql_bin": str(BIN)}
    hosts = [
        sshd.host("pool-a1"),
        sshd.host("client-1"),
        sshd.host("db-a1", postgresql_port=primary.port, **here),
        a_host("db-a2", postgresql_port=standby.port),
        a_host("db-down", postgresql_port=closed_port),
        a_host("place-silent", ansible_port=silent_port),
        a_host("place-gone", ansible_port=closed_port),
    ]
    service = a_database("db-a1", "db-a2", "db-down")
    stranger = Account(user="nobody")
    service = replace(service, accounts={**service.accounts, "stranger": stranger})
    return Clinic(
        environment=an_environment(hosts=hosts, services=[service], ssh=sshd.ssh),
        secrets=SecretStore(sshd.folder),
    )


def ailments(seen: Examination) -> list[Ailment]:
    return [sight.ailment for sight in seen.sights]


def details(seen: Examination) -> set[str]:
    return {sight.detail for sight in seen.sights}


def test_a_healthy_primary_takes_a_write_from_everywhere_and_keeps_none(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    seen = clinic.examine()

    assert [sight.place for sight in seen.sights] == ["controller", "pool-a1", "client-1"]
    assert ailments(seen) == [Ailment.HEALTHY] * 3
    with primary.connect() as session:
        assert session.execute("select count(*) from recover_marker").fetchone() == (0,)


def test_a_standby_tells_how_long_ago_it_heard_its_primary(clinic: Clinic) -> None:
    [testimony] = clinic.examine().testimonies

    assert testimony.witness is Witness.STANDBY
    assert testimony.heard_ago is not None
    assert testimony.heard_ago.total_seconds() < 60
    assert testimony.received_bytes


def test_a_frozen_primary_hangs_and_its_standby_has_heard_it_lately(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    primary.freeze()
    try:
        started = time.monotonic()
        seen = clinic.examine()
        took_s = time.monotonic() - started
    finally:
        primary.thaw()

    assert ailments(seen) == [Ailment.HUNG] * 3
    assert took_s < WHOLE_LIMIT.total_seconds() + SLACK_S
    [testimony] = seen.testimonies
    assert testimony.heard_ago is not None
    assert testimony.heard_ago.total_seconds() > 0


def test_a_stopped_primary_is_refused_and_its_standby_receives_nothing(
    clinic: Clinic, primary: RealPostgresql, standby: RealPostgresql
) -> None:
    primary.stop()
    try:
        wait_until(lambda: not _receives(standby), "a standby that receives nothing")
        seen = clinic.examine()
    finally:
        primary.start()
        wait_until(lambda: _receives(standby), "a standby that streams again")

    assert ailments(seen) == [Ailment.REFUSED] * 3
    assert [t.detail for t in seen.testimonies] == ["receives nothing"]
    assert seen.machine.is_reached
    assert seen.machine.redo_bytes


def test_where_nobody_answers_the_connect_is_a_black_hole(clinic: Clinic) -> None:
    with a_black_hole() as port:
        started = time.monotonic()
        seen = with_primary_at(clinic, port).examine()
        took_s = time.monotonic() - started

    assert ailments(seen) == [Ailment.BLACK_HOLED] * 3
    assert took_s < WHOLE_LIMIT.total_seconds() + SLACK_S


def test_a_place_that_is_silent_itself_has_not_looked(clinic: Clinic) -> None:
    with a_black_hole() as port:
        seen = with_primary_at(clinic, port).examine("place-silent", "place-gone", "pool-a1")

    assert ailments(seen) == [
        Ailment.BLACK_HOLED,
        Ailment.UNKNOWN,
        Ailment.UNKNOWN,
        Ailment.BLACK_HOLED,
    ]
    assert all("did not look" in sight.detail for sight in seen.sights if not sight.has_looked)


def test_a_place_that_may_not_open_tunnels_has_not_looked(clinic: Clinic, tmp_path: Path) -> None:
    with real_sshd(tmp_path, "AllowTcpForwarding no") as strict:
        hosts = {**clinic.environment.hosts, HostName("strict"): strict.host("strict")}
        there = Clinic(
            environment=replace(clinic.environment, hosts=hosts, ssh=strict.ssh),
            secrets=SecretStore(strict.folder),
        )
        seen = there.examine("strict")

    assert ailments(seen) == [Ailment.HEALTHY, Ailment.UNKNOWN]
    assert "administratively prohibited" in seen.sights[1].detail


def test_a_read_only_primary_names_the_setting(clinic: Clinic, primary: RealPostgresql) -> None:
    with setting(primary, "default_transaction_read_only", "on"):
        seen = clinic.examine()

    assert ailments(seen) == [Ailment.READ_ONLY] * 3
    assert details(seen) == {"default_transaction_read_only is on (by configuration file)"}


def test_a_standby_in_the_place_of_the_primary_says_so(clinic: Clinic) -> None:
    seen = clinic.examine("pool-a1", on="db-a2", standbys=("db-a1", "db-down"))

    assert ailments(seen) == [Ailment.READ_ONLY] * 2
    assert details(seen) == {"it is a standby"}
    assert [t.witness for t in seen.testimonies] == [Witness.WRITABLE, Witness.UNHEARD]


def test_a_commit_that_only_waits_for_a_standby_is_told_apart_and_does_not_stay(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    with setting(primary, "synchronous_standby_names", "nobody"):
        started = time.monotonic()
        seen = clinic.examine()
        took_s = time.monotonic() - started

        assert ailments(seen) == [Ailment.UNREPLICATED] * 3
        assert took_s < WHOLE_LIMIT.total_seconds() + SLACK_S
        wait_until(lambda: not _sessions_that_wait(primary), "no session that waits")


def test_a_write_that_waits_for_a_lock_is_slow_and_says_for_what(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    with primary.connect() as session, session.transaction():
        session.execute("lock table recover_marker in exclusive mode")
        seen = clinic.examine("pool-a1")

    assert ailments(seen) == [Ailment.SLOW] * 2
    assert all("it waits for Lock relation" in sight.detail for sight in seen.sights)


def test_a_write_that_takes_more_than_a_second_is_slow(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    primary.execute(
        "create function dawdle() returns trigger language plpgsql as"
        " 'begin perform pg_sleep(1.1); return new; end'",
        "create trigger slow before insert on recover_marker execute function dawdle()",
    )
    try:
        seen = clinic.examine("pool-a1")
    finally:
        primary.execute("drop trigger slow on recover_marker", "drop function dawdle")

    assert ailments(seen) == [Ailment.SLOW] * 2
    assert all(sight.detail.startswith("took 1.") for sight in seen.sights)


def test_a_server_that_turns_us_away_answers(clinic: Clinic) -> None:
    seen = clinic.examine("pool-a1", account="stranger")

    assert ailments(seen) == [Ailment.REJECTED] * 2
    assert all('role "nobody" does not exist' in sight.detail for sight in seen.sights)


def test_without_an_account_nobody_has_looked(clinic: Clinic) -> None:
    seen = clinic.examine("pool-a1", account="canary")

    assert ailments(seen) == [Ailment.UNKNOWN] * 2
    assert details(seen) == {"did not look: orders-db has no account 'canary'"}


@pytest.mark.parametrize(
    ("is_open", "ailment"),
    [
        pytest.param(True, Ailment.HEALTHY, id="users come through"),
        pytest.param(False, Ailment.REFUSED, id="the entry is down"),
    ],
)
def test_users_are_followed_through_their_entry(
    clinic: Clinic, primary: RealPostgresql, closed_port: int, is_open: bool, ailment: Ailment
) -> None:
    entered = clinic.entered_at(primary.port if is_open else closed_port)
    watch = replace(entered.environment.watch, host=HostName("client-1"))
    entered = replace(entered, environment=replace(entered.environment, watch=watch))

    seen = entered.examine()

    assert seen.entry == "orders-pool/pool-a1"
    assert seen.users is not None
    assert (seen.users.place, seen.users.ailment) == ("client-1", ailment)
    assert ailments(seen) == [Ailment.HEALTHY] * 3


def test_a_standby_that_follows_somebody_else_did_not_hear_the_primary(clinic: Clinic) -> None:
    [testimony] = clinic.examine("pool-a1", on="db-down").testimonies

    assert testimony.heard_ago is None
    assert testimony.detail == "follows db-a1 instead"


def test_a_reader_without_the_right_to_look_says_nothing(
    clinic: Clinic, primary: RealPostgresql, standby: RealPostgresql
) -> None:
    primary.execute("create role bystander login")
    with standby.connect() as session:
        wait_until(
            lambda: bool(
                session.execute("select from pg_roles where rolname = 'bystander'").rowcount
            ),
            "the role on the standby",
        )
    environment = clinic.environment
    service = environment.services[ServiceName("orders-db")]
    accounts = {**service.accounts, "reader": Account(user="bystander")}
    services = {service.name: replace(service, accounts=accounts)}
    try:
        blind = replace(clinic, environment=replace(environment, services=services))
        [testimony] = blind.examine("pool-a1").testimonies
    finally:
        primary.execute("drop role bystander")

    assert testimony.witness is Witness.UNHEARD
    assert "grant pg_monitor" in testimony.detail


def test_a_full_disk_is_seen_on_the_machine(sshd: RealSshd, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    (tmp_path / "pg_wal").mkdir()
    with a_small_disk(tmp_path / "pg_wal") as disk:
        host = sshd.host("db-a1", postgresql_data=str(tmp_path))
        environment = an_environment(hosts=[host], ssh=sshd.ssh)
        sessions = SshSessions(environment, SecretStore(sshd.folder))
        machine = look_at_machine(host, sessions)
        sessions.close()

    assert machine.full_disk == str(disk)
    assert machine.detail == f"{disk} is full (0% used)"


def test_a_machine_of_which_nothing_is_known_is_only_reached(sshd: RealSshd) -> None:
    host = sshd.host("db-a1")
    sessions = SshSessions(an_environment(hosts=[host], ssh=sshd.ssh), SecretStore(sshd.folder))

    machine = look_at_machine(host, sessions)
    sessions.close()

    assert (machine.is_reached, machine.full_disk, machine.redo_bytes) == (True, "", None)


@pytest.mark.parametrize(
    ("trouble", "ailment"),
    [
        pytest.param(
            Trouble(kind=TroubleKind.ERROR, detail="no space", code="53100"),
            Ailment.DISK_FULL,
            id="a file cannot grow",
        ),
        pytest.param(
            Trouble(kind=TroubleKind.LOST, detail="it is shutting down", code="57P01"),
            Ailment.REJECTED,
            id="a farewell",
        ),
        pytest.param(
            Trouble(kind=TroubleKind.LOST, detail="the connection broke"),
            Ailment.UNKNOWN,
            id="a connection that broke without a word",
        ),
        pytest.param(
            Trouble(kind=TroubleKind.UNREACHABLE, detail="db-a1: Network is unreachable"),
            Ailment.UNKNOWN,
            id="no way there from here",
        ),
        pytest.param(
            Trouble(kind=TroubleKind.ERROR, detail="permission denied", code="42501"),
            Ailment.REJECTED,
            id="a refusal in words",
        ),
    ],
)
def test_what_a_member_answers_has_one_name(trouble: Trouble, ailment: Ailment) -> None:
    assert ailment_of(trouble) is ailment


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
def a_small_disk(folder: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


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


def _receives(standby: RealPostgresql) -> bool:
    with standby.connect() as session:
        return bool(session.execute("select from pg_stat_wal_receiver").rowcount)


def _sessions_that_wait(server: RealPostgresql) -> bool:
    with server.connect() as session:
        query = "select from pg_stat_activity where wait_event = 'SyncRep'"
        return bool(session.execute(query).rowcount)
