"""A database service with a pooler, and a small playbook for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from orchestrator.domain.environment import (
    Account,
    Environment,
    HostName,
    Invariant,
    Service,
    ServiceName,
)
from orchestrator.domain.plan import Facts, Roles
from orchestrator.domain.playbook import (
    Action,
    Effect,
    GateStop,
    Objectives,
    Parameter,
    ParameterKind,
    Playbook,
    PlaybookName,
    Probe,
    Undo,
    Verification,
)
from orchestrator.domain.problem import Position
from orchestrator.engine.binding import Path
from orchestrator.engine.planning import Written
from tests.support.builders import PREFLIGHT, a_checklist, a_step, an_item
from tests.support.environments import a_database, a_host, an_environment
from tests.support.recoveries import NO_RETURN

ORDERS = ServiceName("orders-db")
DB_A1, DB_A2, DB_B1 = HostName("db-a1"), HostName("db-a2"), HostName("db-b1")
SOUND = Facts(
    roles={
        ORDERS: Roles(
            primary="db-a1",
            standbys=("db-a2", "db-b1"),
            reasons={},
            last_primary="db-a1",
            candidates=("db-a2", "db-b1"),
        )
    },
)
SILENT = Facts(
    roles={
        ORDERS: Roles(
            primary="",
            standbys=(),
            reasons={
                "db-a1": "does not answer (refused)",
                "db-a2": "is a standby of db-a1",
                "db-b1": "is a standby of db-a1",
            },
            last_primary="db-a1",
            candidates=("db-b1", "db-a2"),
        )
    },
)
"""The primary is gone, and the standby at the other site knows the most."""
UNCLEAR = Facts(
    roles={
        ORDERS: Roles(
            primary="",
            standbys=(),
            reasons={"db-a1": "takes writes", "db-a2": "takes writes"},
        )
    },
)
"""The data has diverged already."""


def a_data_center() -> Environment:
    """Three databases behind a pooler."""
    hosts = [
        a_host("db-a1", postgresql_port=5432, address="10.1.0.1"),
        a_host("db-a2", postgresql_port=5433, site="a"),
        a_host("db-b1", postgresql_port=5432, site="b"),
        a_host("pool-1", pooler_bin="/usr/sbin/pgbouncer"),
    ]
    pooler = Service(
        name=ServiceName("orders-pool"),
        engine="pgbouncer",
        members=(HostName("pool-1"),),
        port=6432,
        accounts={"operator": Account(user="pooler")},
    )
    database = replace(
        a_database(DB_A1, DB_A2, DB_B1), entry=pooler.name, settings={"slots": ["a", "b"]}
    )
    return replace(
        an_environment(hosts=hosts, services=[database, pooler]),
        invariants=(
            Invariant(
                invariant="one-writable",
                why="Two would part ways.",
                service=ORDERS,
                probe=Probe(kind="sql", inputs={"on": "${member}", "query": "select 1"}),
                at_most=1,
            ),
        ),
    )


def parameters() -> Mapping[str, Parameter]:
    return {
        "database": Parameter(kind=ParameterKind.SERVICE, engine="postgresql"),
        "target": Parameter(
            kind=ParameterKind.MEMBER, member_of="database", default="best-standby"
        ),
        "quiet_for": Parameter(kind=ParameterKind.DURATION, default="1h"),
    }


def a_playbook() -> Playbook:
    probe = Probe(kind="sql", inputs={"on": "${target}", "query": "select 1"})
    promote = replace(
        a_step(
            "promote",
            action=Action(kind="sql", inputs={"on": "${target}", "query": "select pg_promote()"}),
            effect=Effect(fences="${database.primary}", promotes="${target}"),
            undo=Undo(
                action=Action(kind="sql", inputs={"on": "${database.primary}"}), expect=(probe,)
            ),
        ),
        expect=(probe,),
        prove=(Probe(kind="sql_write", inputs={"on": "${database.primary}"}),),
    )
    return Playbook(
        playbook=PlaybookName("switchover"),
        title="Move the primary",
        objectives=Objectives(downtime=timedelta(seconds=1)),
        parameters=parameters(),
        locks=("database", "target"),
        gate=PREFLIGHT,
        steps=(GateStop(gate=NO_RETURN), promote),
        verify=Verification(journeys={}, probes={"streams": probe}),
        prior_state=(probe,),
    )


def written(playbook: Playbook | None = None, environment: Environment | None = None) -> Written:
    """Content whose every part stands in a file named like its document, in a line each."""
    preflight = replace(
        an_item("quiet"), probe=Probe(kind="runs", inputs={"none_within": "${quiet_for}"})
    )
    return Written(
        playbook=playbook or a_playbook(),
        checklists={
            PREFLIGHT: a_checklist(PREFLIGHT, preflight, an_item("approved", role="owner")),
            NO_RETURN: a_checklist(NO_RETURN, an_item("caught-up")),
        },
        environment=environment or a_data_center(),
        closure={"playbook.yaml": "ab" * 32},
        locate=_locate,
    )


def _locate(document: str, path: Path) -> Position:
    return Position("/".join((document, *map(str, path))), 1, 1)
