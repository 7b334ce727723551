"""Who was primary, and who should be next, told from what the members said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from orchestrator.adapters.hearing_postgresql import Hearing
from orchestrator.adapters.sql_statements import Row
from orchestrator.adapters.standing_postgresql import Follower, Standing, read_standing
from orchestrator.adapters.trouble import Trouble, TroubleKind
from orchestrator.domain.environment import HostName
from orchestrator.domain.plan import Roles
from tests.support.environments import a_host

SITES = {"db-a1": "a", "db-a2": "a", "db-b1": "b"}
ADDRESSES = {"db-a1": "10.1.0.1", "db-a2": "10.1.0.2", "db-b1": "10.2.0.1"}
SILENT = Trouble(kind=TroubleKind.UNREACHABLE, detail="nobody answered")
WRITABLE = Standing(
    is_standby=False,
    is_paused=False,
    is_delayed=False,
    hears_primary=False,
    upstreams=frozenset(),
    position=(1, 0),
    followers=(),
)


def standby_of(
    *upstreams: str,
    position: tuple[int, int] = (1, 1000),
    is_paused: bool = False,
    is_delayed: bool = False,
) -> Standing:
    return Standing(
        is_standby=True,
        is_paused=is_paused,
        is_delayed=is_delayed,
        hears_primary=False,
        upstreams=frozenset((ADDRESSES.get(name, name), 5432) for name in upstreams),
        position=position,
        followers=(),
    )


def roles(**seen: Standing | Trouble) -> Roles:
    named = {HostName(name.replace("_", "-")): said for name, said in seen.items()}
    hosts = {
        name: a_host(name, site=SITES[name], address=ADDRESSES[name], ansible_host=f"{name}.mgmt")
        for name in named
    }
    return Hearing(port=5432, hosts=hosts, seen=named).roles


@pytest.mark.parametrize(
    ("a2", "b1", "order"),
    [
        pytest.param(
            standby_of("db-a1", position=(1, 9000)),
            standby_of("db-a1", position=(2, 10)),
            ("db-b1", "db-a2"),
            id="the newer timeline, whatever was received on the older",
        ),
        pytest.param(
            standby_of("db-a1", position=(1, 1000)),
            standby_of("db-a1", position=(1, 1001)),
            ("db-b1", "db-a2"),
            id="who received one byte more, though far away",
        ),
        pytest.param(
            standby_of("db-a1", is_paused=True),
            standby_of("db-a1"),
            ("db-b1", "db-a2"),
            id="who replays, of two that received the same",
        ),
        pytest.param(
            standby_of("db-a1", position=(1, 1001), is_paused=True),
            standby_of("db-a1"),
            ("db-a2", "db-b1"),
            id="who received more, though it replays nothing",
        ),
        pytest.param(
            standby_of("db-a1"),
            standby_of("db-a1"),
            ("db-a2", "db-b1"),
            id="who is at the last primary's site, of two alike",
        ),
        pytest.param(
            standby_of("db-a1", position=(2, 9000), is_delayed=True),
            standby_of("db-a1"),
            ("db-b1",),
            id="nobody who replays with a delay",
        ),
        pytest.param(SILENT, standby_of("db-a1"), ("db-b1",), id="nobody who is silent"),
        pytest.param(
            standby_of(position=(7, 1)),
            standby_of("db-a1"),
            ("db-b1",),
            id="nobody who followed nobody",
        ),
    ],
)
def test_candidate_is(a2: Standing | Trouble, b1: Standing, order: tuple[str, ...]) -> None:
    found = roles(db_b1=b1, db_a1=SILENT, db_a2=a2)

    assert (found.last_primary, found.candidates) == ("db-a1", order)


@pytest.mark.parametrize(
    ("seen", "last"),
    [
        pytest.param(
            {"db_a2": standby_of("db-a1"), "db_b1": standby_of("db-a1")},
            "db-a1",
            id="all name the same",
        ),
        pytest.param(
            {"db_a2": standby_of("db-a1"), "db_b1": standby_of("db-a2")},
            "db-a1",
            id="one followed another standby, and that one speaks for both",
        ),
        pytest.param(
            {
                "db_a2": standby_of("db-a1", "db-a2", "db-b1"),
                "db_b1": standby_of("db-a1", "db-a2", "db-b1"),
            },
            "db-a1",
            id="all would follow any member, and only one of these is no standby",
        ),
        pytest.param(
            {"db_a2": standby_of("db-a2.mgmt"), "db_b1": standby_of("db-a1.mgmt")},
            "db-a1",
            id="by the address at which we reach it",
        ),
        pytest.param(
            {"db_a2": SILENT, "db_b1": standby_of("db-a1", "db-a2")},
            "",
            id="the only one could have followed either",
        ),
        pytest.param(
            {"db_a2": standby_of("db-b1"), "db_b1": standby_of("db-a2")},
            "",
            id="they follow each other",
        ),
        pytest.param(
            {"db_a2": standby_of("db-a1"), "db_b1": standby_of("10.9.9.9")},
            "",
            id="they name different ones",
        ),
        pytest.param(
            {"db_a2": SILENT, "db_b1": standby_of("10.9.9.9")}, "", id="a stranger is named"
        ),
        pytest.param({"db_a2": SILENT, "db_b1": SILENT}, "", id="nobody answers"),
        pytest.param({"db_a2": standby_of(), "db_b1": standby_of()}, "", id="all follow nobody"),
    ],
)
def test_last_primary_when(seen: Mapping[str, Standing | Trouble], last: str) -> None:
    found = roles(db_a1=SILENT, **seen)

    assert found.last_primary == last
    assert bool(found.candidates) == bool(last)
    assert (found.primary, found.standbys) == ("", ())


def test_reasons_tell_what_each_member_said() -> None:
    found = roles(
        db_a1=SILENT,
        db_a2=standby_of("10.9.9.9", "db-a1", is_delayed=True),
        db_b1=standby_of(),
    )

    assert found.reasons == {
        "db-a1": "does not answer (unreachable)",
        "db-a2": "is a standby of 10.9.9.9:5432 or db-a1, and replays with a delay",
        "db-b1": "is a standby of nobody",
    }


def test_member_on_another_port_is_another_server() -> None:
    elsewhere = Hearing(
        port=5433,
        hosts={HostName(n): a_host(n, address=ADDRESSES[n]) for n in ("db-a1", "db-a2")},
        seen={HostName("db-a1"): SILENT, HostName("db-a2"): standby_of("db-a1")},
    )

    assert elsewhere.roles.last_primary == ""


def test_members_that_do_not_stream_from_the_primary_have_strayed() -> None:
    follower = Follower(name="db-a2", address=None, sync_state="async")
    primary = replace(WRITABLE, followers=(follower,))

    found = roles(db_a1=primary, db_a2=standby_of("db-a1"), db_b1=SILENT)

    assert found.strayed == ("db-b1",)


@pytest.mark.parametrize(
    ("conninfo", "upstreams"),
    [
        pytest.param("host=db-a1", {("db-a1", 5432)}, id="a name, the usual port"),
        pytest.param(
            "host='10.1.0.1' port=5433 password='x y'", {("10.1.0.1", 5433)}, id="quoted"
        ),
        pytest.param(
            "postgresql://replicator@db-a1:5433/", {("db-a1", 5433)}, id="written as an address"
        ),
        pytest.param(
            "host=db-a1,db-a2 port=5432,5433",
            {("db-a1", 5432), ("db-a2", 5433)},
            id="several with a port each",
        ),
        pytest.param(
            "host=db-a1,db-a2 port=5433",
            {("db-a1", 5433), ("db-a2", 5433)},
            id="several with one port",
        ),
        pytest.param(
            "host=db-a1 hostaddr=10.1.0.1", {("10.1.0.1", 5432)}, id="an address beside a name"
        ),
        pytest.param("", set(), id="nothing"),
    ],
)
def test_standby_s_upstreams_are_those_libpq_would_try(
    conninfo: str, upstreams: set[tuple[str, int]]
) -> None:
    row: Row = {
        "is_standby": True,
        "is_paused": False,
        "is_delayed": False,
        "hears_primary": False,
        "sender": None,
        "conninfo": conninfo,
        "timeline": "0000000A",
        "received_bytes": None,
        "followers": [],
    }

    standing = read_standing(row)

    assert standing.upstreams == upstreams
    assert standing.position == (10, 0)
