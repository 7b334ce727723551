from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.errors import RequestMalformed, RequestRefused
from orchestrator.domain.plan import Facts
from orchestrator.domain.playbook import Parameter, ParameterKind
from orchestrator.engine.choosing import Choice, find_member, refuse_other_roles
from tests.support.data_centers import ORDERS, SILENT, SOUND, UNCLEAR, a_data_center, a_playbook

SERVICE = a_data_center().services[ORDERS]
STRAYED = Facts(roles={ORDERS: replace(SOUND.roles[ORDERS], strayed=("db-b1",))})


def choose(choice: Choice, facts: Facts, given: str = "") -> str:
    parameter = Parameter(kind=ParameterKind.MEMBER, member_of="database", default=choice)
    return find_member("member", parameter, given, SERVICE, facts)


@pytest.mark.parametrize(
    ("choice", "facts", "member"),
    [
        pytest.param(Choice.PRIMARY, SOUND, "db-a1", id="the primary"),
        pytest.param(Choice.BEST_STANDBY, SOUND, "db-a2", id="a standby of a primary"),
        pytest.param(Choice.BEST_CANDIDATE, SILENT, "db-b1", id="a standby of nobody"),
        pytest.param(Choice.BEST_CANDIDATE, SOUND, "db-a2", id="though there is a primary"),
        pytest.param(Choice.LAST_PRIMARY, SILENT, "db-a1", id="the primary that is gone"),
        pytest.param(Choice.LAST_PRIMARY, SOUND, "db-a1", id="the primary that is there"),
        pytest.param(Choice.STRAYED_MEMBER, STRAYED, "db-b1", id="the one that does not follow"),
    ],
)
def test_default_finds(choice: Choice, facts: Facts, member: str) -> None:
    assert choose(choice, facts) == f"orders-db/{member}"


@pytest.mark.parametrize(
    ("choice", "facts", "reason"),
    [
        pytest.param(Choice.PRIMARY, SILENT, "has not exactly one primary", id="no primary"),
        pytest.param(
            Choice.BEST_STANDBY,
            SILENT,
            r"has not exactly one primary \(db-a1: does not answer \(refused\); ",
            id="a standby of a primary that is silent",
        ),
        pytest.param(
            Choice.BEST_STANDBY,
            Facts(roles={ORDERS: replace(SOUND.roles[ORDERS], standbys=(), reasons={"x": "y"})}),
            r"no standby of orders-db is fit to take over \(x: y\)",
            id="a standby when none is fit",
        ),
        pytest.param(
            Choice.BEST_CANDIDATE, UNCLEAR, "it is not clear which member", id="two primaries"
        ),
        pytest.param(
            Choice.BEST_CANDIDATE,
            Facts(roles={ORDERS: replace(SILENT.roles[ORDERS], candidates=())}),
            r"no standby of orders-db can be promoted \(db-a1: does not answer",
            id="no candidate",
        ),
        pytest.param(
            Choice.LAST_PRIMARY,
            UNCLEAR,
            r"\(db-a1: takes writes; db-a2: takes writes\)",
            id="the last of two primaries",
        ),
        pytest.param(
            Choice.STRAYED_MEMBER, SOUND, "every member of orders-db streams", id="nobody strayed"
        ),
        pytest.param(
            Choice.STRAYED_MEMBER,
            Facts(roles={ORDERS: replace(SOUND.roles[ORDERS], strayed=("db-a2", "db-b1"))}),
            "db-a2, db-b1 of orders-db do not stream from db-a1; give --set member=MEMBER",
            id="several strayed",
        ),
        pytest.param(
            Choice.STRAYED_MEMBER, SILENT, "has not exactly one primary", id="strayed from whom"
        ),
    ],
)
def test_default_that_finds_nobody_says_what_was_seen(
    choice: Choice, facts: Facts, reason: str
) -> None:
    with pytest.raises(RequestRefused, match=reason):
        choose(choice, facts)


@pytest.mark.parametrize(
    ("choice", "facts", "reason"),
    [
        pytest.param(Choice.BEST_STANDBY, SOUND, "is the primary already", id="a standby"),
        pytest.param(Choice.STRAYED_MEMBER, SOUND, "is the primary already", id="a stray"),
        pytest.param(Choice.BEST_CANDIDATE, SILENT, "is the last primary itself", id="candidate"),
        pytest.param(Choice.BEST_CANDIDATE, UNCLEAR, "it is not clear", id="of two primaries"),
    ],
)
def test_primary_itself_is_refused_as(choice: Choice, facts: Facts, reason: str) -> None:
    with pytest.raises(RequestRefused, match=reason):
        check(choice, facts, "db-a1")


def test_standby_is_refused_as_the_primary() -> None:
    with pytest.raises(RequestRefused, match="db-b1 is not the primary, db-a1 is"):
        check(Choice.PRIMARY, SOUND, "db-b1")


@pytest.mark.parametrize(
    ("choice", "facts", "given"),
    [
        pytest.param(Choice.PRIMARY, SOUND, "db-a1", id="the primary as such"),
        pytest.param(Choice.BEST_STANDBY, SOUND, "db-b1", id="another standby"),
        pytest.param(Choice.BEST_CANDIDATE, SILENT, "db-a2", id="another candidate"),
        pytest.param(Choice.LAST_PRIMARY, SOUND, "db-a1", id="the last primary as such"),
        pytest.param(Choice.STRAYED_MEMBER, SOUND, "db-b1", id="one that streams"),
    ],
)
def test_engineer_may_choose(choice: Choice, facts: Facts, given: str) -> None:
    check(choice, facts, given)

    assert choose(choice, facts, given) == f"orders-db/{given}"
    assert choose(choice, facts, f"orders-db/{given}") == f"orders-db/{given}"


@pytest.mark.parametrize("wanted", ["pool-1", "orders-pool/db-a2", "best-candiate"])
def test_host_that_provides_something_else_is_no_member(wanted: str) -> None:
    with pytest.raises(RequestMalformed, match="its members are db-a1, db-a2, db-b1"):
        choose(Choice.BEST_CANDIDATE, SILENT, wanted)


def check(choice: Choice, facts: Facts, given: str) -> None:
    target = Parameter(kind=ParameterKind.MEMBER, member_of="database", default=choice)
    playbook = a_playbook()
    playbook = replace(playbook, parameters={**playbook.parameters, "target": target})
    bound = {"database": "orders-db", "target": f"orders-db/{given}", "quiet_for": "1h"}
    refuse_other_roles(playbook, a_data_center(), bound, facts)
