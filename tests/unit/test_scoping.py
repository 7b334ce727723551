from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.environment import ServiceName
from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.plan import Facts
from orchestrator.domain.playbook import Parameter, ParameterKind, Playbook
from orchestrator.engine.binding import Dangling, bind
from orchestrator.engine.scoping import (
    bind_parameters,
    member_scope,
    scope_of,
    services_of,
)
from tests.support.data_centers import ORDERS, SILENT, SOUND, UNCLEAR, a_data_center, a_playbook
from tests.support.environments import a_database


def _playbook(**parameters: Parameter) -> Playbook:
    return replace(a_playbook(), parameters=parameters)


def _said(reference: str, given: dict[str, str] | None = None, facts: Facts = SOUND) -> object:
    playbook, environment = a_playbook(), a_data_center()
    bound = bind_parameters(playbook, environment, given or {}, facts)
    scope = scope_of(playbook, environment, bound, facts)
    problems: list[object] = []
    value = bind(reference, scope, (), problems.append)
    assert problems == []
    return value


def test_defaults_find_the_only_service_and_the_best_standby() -> None:
    bound = bind_parameters(a_playbook(), a_data_center(), {}, SOUND)

    assert bound == {"database": "orders-db", "target": "orders-db/db-a2", "quiet_for": "1h"}


def test_engineer_may_choose_another_member() -> None:
    given = {"database": "orders-db", "target": "db-b1", "quiet_for": "5m"}

    bound = bind_parameters(a_playbook(), a_data_center(), given, SOUND)

    assert bound == {"database": "orders-db", "target": "orders-db/db-b1", "quiet_for": "5m"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param({"tagret": "db-a2"}, "no parameter tagret; it has database", id="unknown"),
        pytest.param({"database": "billing"}, "billing is not a service of engine", id="service"),
        pytest.param({"target": "pool-1"}, "its members are db-a1, db-a2, db-b1", id="no member"),
        pytest.param({"quiet_for": "1"}, "1 is not a duration", id="a number without its unit"),
    ],
)
def test_parameter_that_does_not_fit_is_refused(given: dict[str, str], reason: str) -> None:
    with pytest.raises(RequestRefused, match=reason):
        bind_parameters(a_playbook(), a_data_center(), given, SOUND)


def test_two_services_of_one_engine_must_be_told_apart() -> None:
    environment = a_data_center()
    other = replace(a_database("db-b1"), name=ServiceName("billing-db"))
    both = replace(environment, services={**environment.services, other.name: other})

    with pytest.raises(RequestRefused, match=r"there are 2 services .*orders-db, billing-db"):
        services_of(a_playbook(), both, {})

    assert services_of(a_playbook(), both, {"database": "billing-db"}) == (other,)


def test_environment_without_such_a_service_says_so() -> None:
    playbook = _playbook(cache=Parameter(kind=ParameterKind.SERVICE, engine="redis"))

    with pytest.raises(RequestRefused, match=r"there are 0 services .*\(there is none\)"):
        bind_parameters(playbook, a_data_center(), {}, SOUND)


@pytest.mark.parametrize(
    ("parameter", "given", "reason"),
    [
        pytest.param(ParameterKind.TEXT, "", "has no default; give --set", id="nothing given"),
        pytest.param(ParameterKind.NUMBER, "lots", "lots is not a number", id="not a number"),
        pytest.param(ParameterKind.NUMBER, "²", "is not a number", id="looks like a number"),
        pytest.param(ParameterKind.DURATION, "soon", "soon is not a duration", id="no duration"),
    ],
)
def test_text_that_does_not_fit_its_kind_is_refused(
    parameter: ParameterKind, given: str, reason: str
) -> None:
    playbook = _playbook(value=Parameter(kind=parameter))

    with pytest.raises(RequestRefused, match=reason):
        bind_parameters(playbook, a_data_center(), {"value": given}, SOUND)


@pytest.mark.parametrize(
    ("kind", "given", "seen"),
    [
        pytest.param(ParameterKind.TEXT, "CHG-2041", "CHG-2041", id="text as it is"),
        pytest.param(ParameterKind.NUMBER, "80", 80.0, id="a number"),
        pytest.param(ParameterKind.NUMBER, "16MiB", 16 * 2**20, id="a size in bytes"),
        pytest.param(ParameterKind.DURATION, "1m30s", 90.0, id="a duration in seconds"),
    ],
)
def test_inputs_see_values_in_plain_units(kind: ParameterKind, given: str, seen: object) -> None:
    playbook, environment = _playbook(value=Parameter(kind=kind)), a_data_center()
    bound = bind_parameters(playbook, environment, {"value": given}, SOUND)

    assert scope_of(playbook, environment, bound, SOUND)["value"] == seen


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        pytest.param("${database}", "orders-db", id="a service by its name"),
        pytest.param("${database.primary}", "orders-db/db-a1", id="its primary"),
        pytest.param("${database.primary.address}", "10.1.0.1", id="an address for other hosts"),
        pytest.param("${database.primary.reached_at}", "127.0.0.1", id="an address for us"),
        pytest.param(
            "${database.standbys}", ["orders-db/db-a2", "orders-db/db-b1"], id="standbys"
        ),
        pytest.param("${database.slots}", ["a", "b"], id="a setting"),
        pytest.param("${database.accounts.operator}", "recover", id="an account by its user"),
        pytest.param("${database.entry.only}", "orders-pool/pool-1", id="the pooler's one member"),
        pytest.param("${database.entry.only.port}", 6432, id="a port that is a number"),
        pytest.param("${database.entry.only.pooler_bin}", "/usr/sbin/pgbouncer", id="a variable"),
        pytest.param("${database.last_primary}", "orders-db/db-a1", id="who was the primary"),
        pytest.param("${database.last_primary.site}", "a", id="and where"),
        pytest.param(
            "${database.survivors}", ["orders-db/db-a2", "orders-db/db-b1"], id="all the others"
        ),
        pytest.param("${target.port}", 5433, id="a port that a variable holds"),
        pytest.param("${target.service}", "orders-db", id="a member's service"),
        pytest.param("${target.site}", "a", id="a member's site"),
        pytest.param("${target.bystanders}", ["orders-db/db-b1"], id="neither primary nor target"),
        pytest.param("${services.orders-pool}", "orders-pool", id="any service"),
        pytest.param("${hosts.db-b1.site}", "b", id="any host"),
        pytest.param("${quiet_for}", 3600.0, id="a plain parameter"),
    ],
)
def test_reference_reaches_what_playbooks_need(reference: str, value: object) -> None:
    assert _said(reference) == value


def test_service_whose_roles_nobody_looked_up_has_no_primary() -> None:
    playbook, environment = a_playbook(), a_data_center()
    bound = {"database": "orders-db", "target": "orders-db/db-b1"}
    scope = scope_of(playbook, environment, bound, Facts(roles={}))

    assert isinstance(scope["database"], dict)
    assert "primary" not in scope["database"]
    assert bind("${target.bystanders}", scope, (), lambda dangling: None) == [
        "orders-db/db-a1",
        "orders-db/db-a2",
    ]


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        pytest.param("${database.last_primary}", "orders-db/db-a1", id="who was the primary"),
        pytest.param(
            "${database.survivors}", ["orders-db/db-a2", "orders-db/db-b1"], id="who is left"
        ),
        pytest.param("${target.bystanders}", ["orders-db/db-a2"], id="who only looks on"),
    ],
)
def test_reference_reaches_what_a_failover_needs(reference: str, value: object) -> None:
    playbook, environment = a_playbook(), a_data_center()
    bound = {"database": "orders-db", "target": "orders-db/db-b1"}
    scope = scope_of(playbook, environment, bound, SILENT)

    assert bind(reference, scope, (), lambda dangling: None) == value


@pytest.mark.parametrize(
    ("reference", "facts", "reason"),
    [
        pytest.param(
            "${database.primary.address}",
            SILENT,
            "orders-db has not exactly one primary "
            "(db-a1: does not answer (refused); db-a2: is a standby of db-a1; "
            "db-b1: is a standby of db-a1)",
            id="a primary that is silent",
        ),
        pytest.param("${database.standbys}", SILENT, "not exactly one primary", id="its standbys"),
        pytest.param(
            "${database.last_primary}",
            UNCLEAR,
            "it is not clear which member of orders-db was the last primary "
            "(db-a1: takes writes; db-a2: takes writes)",
            id="one of two primaries",
        ),
        pytest.param("${database.survivors}", UNCLEAR, "it is not clear", id="their survivors"),
        pytest.param("${target.bystanders}", UNCLEAR, "it is not clear", id="their bystanders"),
    ],
)
def test_reference_to_what_nobody_found_says_what_was_seen(
    reference: str, facts: Facts, reason: str
) -> None:
    playbook, environment = a_playbook(), a_data_center()
    bound = {"database": "orders-db", "target": "orders-db/db-b1"}
    scope = scope_of(playbook, environment, bound, facts)
    problems: list[Dangling] = []

    bind(reference, scope, (), problems.append)

    (dangling,) = problems
    assert dangling.is_unseen
    assert reason in dangling.reason


def test_port_that_no_variable_holds_is_empty() -> None:
    environment = a_data_center()
    unset = replace(environment.services[ORDERS], port="no_such_variable")
    environment = replace(environment, services={**environment.services, ORDERS: unset})
    scope = scope_of(a_playbook(), environment, {"target": "orders-db/db-a2"}, SOUND)

    assert bind("${target.port}", scope, (), lambda dangling: None) == ""


def test_member_stands_for_one_member_of_an_invariant() -> None:
    environment = a_data_center()

    scope = member_scope({}, environment.services[ORDERS], "db-a1", environment)

    assert bind("${member} ${member.port}", scope, (), lambda dangling: None) == (
        "orders-db/db-a1 5432"
    )
