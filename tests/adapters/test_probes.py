"""Looks at real targets: passed only on what was seen, inconclusive where nothing could be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.http_exchange import HttpExchange
from orchestrator.adapters.probes.http import HttpProber
from orchestrator.adapters.probes.sql import SqlProber
from orchestrator.adapters.probes.sql_write import SqlWriteProber
from orchestrator.adapters.probes.ssh import SshProber
from orchestrator.adapters.probes.tcp import TcpProber
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.environment import Environment
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Prober
from tests.support.actions import SOON, a_probe
from tests.support.clocks import NOON, StoppedClock
from tests.support.environments import a_database, a_host, an_environment
from tests.support.fence_agents import NO_FENCES
from tests.support.real_postgresql import RealPostgresql, real_postgresql
from tests.support.real_sshd import RealSshd
from tests.support.real_standbys import real_standbys
from tests.support.web_server import Page, web_server

AT_ONCE = timedelta(seconds=0.5)
PRIMARY, STANDBY, DOWN, SILENT = (
    f"orders-db/{host}" for host in ("db-a1", "db-a2", "db-down", "db-silent")
)


@pytest.fixture(scope="module")
def standby(postgresql: RealPostgresql) -> Iterator[RealPostgresql]:
    with real_standbys(postgresql, "db-a2") as (server,):
        yield server


@pytest.fixture
def environment(
    sshd: RealSshd,
    postgresql: RealPostgresql,
    standby: RealPostgresql,
    closed_port: int,
    silent_port: int,
) -> Environment:
    ports = {
        "db-a1": postgresql.port,
        "db-a2": standby.port,
        "db-down": closed_port,
        "db-silent": silent_port,
    }
    return an_environment(
        hosts=[
            sshd.host("pool-a1"),
            *(a_host(name, postgresql_port=port) for name, port in ports.items()),
        ],
        services=[a_database(*ports)],
        ssh=sshd.ssh,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Probers:
    by_kind: dict[str, Prober]

    def look(self, kind: str, within: timedelta = SOON, /, **inputs: object) -> Evidence:
        return self.by_kind[kind].look(a_probe(kind, **inputs), within=within)


@pytest.fixture
def probers(environment: Environment, sshd: RealSshd) -> Iterator[Probers]:
    clock = StoppedClock()
    sql = SqlSessions(environment, SecretStore(Path()))
    ssh = SshSessions(environment, SecretStore(sshd.folder))
    http = HttpExchange()
    yield Probers(
        by_kind={
            "sql": SqlProber(sql, clock),
            "sql_write": SqlWriteProber(environment, sql, ssh, NO_FENCES, clock),
            "ssh": SshProber(ssh, clock),
            "tcp": TcpProber(environment, clock),
            "http": HttpProber(http, clock),
        }
    )
    for sessions in (sql, ssh, http):
        sessions.close()


def test_members_are_looked_at_side_by_side(probers: Probers) -> None:
    evidence = probers.look(
        "sql",
        on=[PRIMARY, STANDBY],
        query="select pg_is_in_recovery() as standby",
        row={"standby": False},
        exactly=1,
        keep={"was": "standby"},
    )

    assert evidence == Evidence(
        verdict=Verdict.PASSED,
        summary=f"{PRIMARY}: standby=False",
        at=NOON,
        kept={"was": "false"},
    )


def test_kept_values_and_lists_are_bound(probers: Probers) -> None:
    evidence = probers.look(
        "sql",
        on=PRIMARY,
        query="select m from unnest(%(members)s::text[]) as m where m = %(kept)s",
        values={"members": ["x", "'; drop table recover_marker; --"], "kept": "x"},
        rows=1,
    )

    assert evidence.verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("member", "word"), [(DOWN, "refused"), (SILENT, "hung")], ids=["down", "silent"]
)
def test_a_query_without_an_answer_is_inconclusive_and_says_how(
    probers: Probers, member: str, word: str
) -> None:
    evidence = probers.look("sql", AT_ONCE, on=member, query="select 1 as one", row={"one": 1})

    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.summary.startswith(f"{word}: {member}")


def test_an_unknown_member_is_inconclusive(probers: Probers) -> None:
    evidence = probers.look("sql", on="orders-db/db-z9", query="select 1", rows=1)

    assert evidence.verdict is Verdict.INCONCLUSIVE


WRITES = [
    pytest.param(PRIMARY, "accepted", Verdict.PASSED, "took a write", id="primary takes"),
    pytest.param(PRIMARY, "refused", Verdict.FAILED, "took a write", id="primary is no fence"),
    pytest.param(STANDBY, "refused", Verdict.PASSED, "during recovery", id="standby refuses"),
    pytest.param(STANDBY, "accepted", Verdict.FAILED, "during recovery", id="standby takes none"),
    pytest.param(DOWN, "refused", Verdict.PASSED, "refused", id="a stopped one refuses"),
    pytest.param(DOWN, "accepted", Verdict.FAILED, "refused", id="a stopped one takes none"),
    pytest.param(SILENT, "refused", Verdict.INCONCLUSIVE, "hung", id="silence is no fence"),
    pytest.param(SILENT, "accepted", Verdict.INCONCLUSIVE, "hung", id="silence is no write"),
]


@pytest.mark.parametrize("via", ["", "pool-a1"], ids=["from here", "from the pooler"])
@pytest.mark.parametrize(("member", "expect", "verdict", "word"), WRITES)
def test_a_write_proves_what_a_member_takes(
    probers: Probers, member: str, expect: str, verdict: Verdict, word: str, via: str
) -> None:
    evidence = probers.look("sql_write", timedelta(seconds=1), on=member, expect=expect, via=via)

    assert evidence.verdict is verdict
    assert word in evidence.summary


def test_a_write_that_is_taken_leaves_nothing_behind(
    probers: Probers, postgresql: RealPostgresql
) -> None:
    probers.look("sql_write", on=PRIMARY, expect="accepted")

    with postgresql.connect() as connection:
        found = connection.execute("select count(*) from recover_marker where run = 'a look'")
        assert found.fetchone() == (0,)


def test_read_only_by_default_is_no_fence(probers: Probers, postgresql: RealPostgresql) -> None:
    postgresql.execute("alter database postgres set default_transaction_read_only = on")
    try:
        evidence = probers.look("sql_write", on=PRIMARY, expect="refused")
    finally:
        postgresql.execute(
            "set default_transaction_read_only = off",
            "alter database postgres reset default_transaction_read_only",
        )

    assert evidence.verdict is Verdict.FAILED


def test_an_account_that_may_not_write_proves_nothing(
    probers: Probers, postgresql: RealPostgresql
) -> None:
    evidence = probers.look("sql_write", on=PRIMARY, expect="refused", table="nowhere.marker")

    assert evidence.verdict is Verdict.INCONCLUSIVE


def test_a_frozen_primary_is_not_fenced_though_its_connection_is_warm(sshd: RealSshd) -> None:
    with real_postgresql() as server:
        server.execute("create table recover_marker (run text, seq bigint)")
        environment = an_environment(
            hosts=[a_host("db-a1", postgresql_port=server.port)], services=[a_database("db-a1")]
        )
        sql = SqlSessions(environment, SecretStore(Path()))
        ssh = SshSessions(environment, SecretStore(sshd.folder))
        prober = SqlWriteProber(environment, sql, ssh, NO_FENCES, StoppedClock())
        look = a_probe("sql_write", on=PRIMARY, expect="refused")
        assert prober.look(look, within=SOON).verdict is Verdict.FAILED

        server.freeze()
        frozen = prober.look(look, within=AT_ONCE)
        server.thaw()
        server.stop("fast")
        stopped = prober.look(look, within=SOON)
        sql.close()

    assert frozen.verdict is Verdict.INCONCLUSIVE
    assert (stopped.verdict, "refused" in stopped.summary) == (Verdict.PASSED, True)


@pytest.mark.parametrize(
    ("member", "expect", "verdict"),
    [
        (PRIMARY, "open", Verdict.PASSED),
        (PRIMARY, "refused", Verdict.FAILED),
        (DOWN, "refused", Verdict.PASSED),
        (DOWN, "open", Verdict.FAILED),
    ],
)
def test_a_port_is_open_or_refused(
    probers: Probers, member: str, expect: str, verdict: Verdict
) -> None:
    evidence = probers.look("tcp", on=member, port="postgresql_port", expect=expect)

    assert evidence.verdict is verdict


CONTROL_DATA = (
    "Database cluster state:               shut down\nLatest checkpoint location: 0/3000060\n"
)


@pytest.mark.parametrize(
    ("inputs", "verdict", "summary"),
    [
        pytest.param(
            {"matches": "state: +shut down$"},
            Verdict.PASSED,
            "pool-a1: 'state: shut down'",
            id="what was wanted is there",
        ),
        pytest.param(
            {"matches": "state: +in production"},
            Verdict.FAILED,
            "pool-a1: 'state: +in production' is not in 'Database cluster state: shut down"
            " Latest checkpoint location: 0/3000060'",
            id="what was wanted is not there",
        ),
        pytest.param(
            {"number": {"pattern": r"(\d+)\d{6}", "at_most": 2}},
            Verdict.FAILED,
            "pool-a1: the number is 3, wanted at most 2",
            id="a number out of bounds",
        ),
        pytest.param(
            {"number": {"pattern": r"(\d+)%", "at_most": 2}},
            Verdict.FAILED,
            "pool-a1: '(\\\\d+)%' is not in 'Database cluster state: shut down"
            " Latest checkpoint location: 0/3000060'",
            id="no number is no small number",
        ),
        pytest.param(
            {"exit_code": 1}, Verdict.FAILED, "pool-a1: exit 0, not 1", id="another exit code"
        ),
    ],
)
def test_a_command_is_judged_by_what_it_prints(
    probers: Probers, inputs: dict[str, object], verdict: Verdict, summary: str
) -> None:
    evidence = probers.look("ssh", on="pool-a1", run=["cat"], stdin=CONTROL_DATA, **inputs)

    assert (evidence.verdict, evidence.summary) == (verdict, summary)


def test_a_part_of_the_output_is_kept(probers: Probers) -> None:
    evidence = probers.look(
        "ssh",
        on="pool-a1",
        run=["cat"],
        stdin=CONTROL_DATA,
        keep={"last_lsn": "location: +([0-9A-F]+/[0-9A-F]+)"},
    )

    assert (evidence.verdict, evidence.kept) == (Verdict.PASSED, {"last_lsn": "0/3000060"})


def test_a_host_that_cannot_be_reached_makes_a_look_inconclusive(probers: Probers) -> None:
    evidence = probers.look("ssh", AT_ONCE, on="db-a1", run=["true"])

    assert evidence.verdict is Verdict.INCONCLUSIVE


ORDER = {"id": 7, "items": [{"name": "tea", "left": None}]}


@pytest.mark.parametrize(
    ("inputs", "verdict", "summary"),
    [
        pytest.param(
            {"json": {"id": {"at_least": 7}, "items.0.name": "tea", "items.0.left": None}},
            Verdict.PASSED,
            "status 200",
            id="all as wanted",
        ),
        pytest.param({"json": {"id": 8}}, Verdict.FAILED, "id is 7, not 8", id="another value"),
        pytest.param(
            {"json": {"items.1.name": "tea"}},
            Verdict.FAILED,
            "items.1.name is missing",
            id="a path that leads nowhere",
        ),
        pytest.param({"status": [503]}, Verdict.FAILED, "status 200", id="another status"),
    ],
)
def test_an_answer_is_judged_by_what_it_holds(
    probers: Probers, inputs: dict[str, object], verdict: Verdict, summary: str
) -> None:
    with web_server({"/order": Page(body=json.dumps(ORDER))}) as site:
        evidence = probers.look("http", url=f"{site}/order", **inputs)

        assert (evidence.verdict, evidence.summary) == (verdict, f"{site}/order: {summary}")


def test_an_answer_that_is_no_json_has_nothing_in_it(probers: Probers) -> None:
    with web_server({"/order": Page(body="<html>")}) as site:
        evidence = probers.look("http", url=f"{site}/order", json={"id": 7})

    assert evidence.verdict is Verdict.FAILED


def test_a_site_that_is_silent_makes_a_look_inconclusive(
    probers: Probers, silent_port: int
) -> None:
    evidence = probers.look("http", AT_ONCE, url=f"http://127.0.0.1:{silent_port}/")

    assert evidence.verdict is Verdict.INCONCLUSIVE
