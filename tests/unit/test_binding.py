from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.binding import ITSELF, Dangling, bind, bind_kept

SCOPE = {
    "target": {ITSELF: "orders-db/db-a2", "address": "10.1.0.2", "port": 5432},
    "database": {
        ITSELF: "orders-db",
        "start": ["pg_ctl", "start"],
        "members": [{ITSELF: "orders-db/db-a1"}, {ITSELF: "orders-db/db-a2"}],
        "entry": {"only": {ITSELF: "pooler/pool-1"}},
        "settings": {"slots": 3},
    },
}


def _bound(value: object) -> tuple[object, list[Dangling]]:
    problems: list[Dangling] = []
    return bind(value, SCOPE, ("steps", 0), problems.append), problems


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("plain text", "plain text", id="no reference"),
        pytest.param("${target}", "orders-db/db-a2", id="a node by its own value"),
        pytest.param("${target.port}", 5432, id="a number stays a number"),
        pytest.param("port=${target.port}", "port=5432", id="inside a text it becomes text"),
        pytest.param("${database.entry.only}", "pooler/pool-1", id="a nested node"),
        pytest.param("${database.start}", ["pg_ctl", "start"], id="a whole list"),
        pytest.param(
            "${database.members}", ["orders-db/db-a1", "orders-db/db-a2"], id="a list of nodes"
        ),
        pytest.param("${database.settings}", {"slots": 3}, id="a mapping without a value"),
        pytest.param(["${database.start}", "-w"], ["pg_ctl", "start", "-w"], id="spliced in"),
        pytest.param(("${target}",), ["orders-db/db-a2"], id="a tuple"),
        pytest.param({"on": "${target}", "n": 3}, {"on": "orders-db/db-a2", "n": 3}, id="deep"),
        pytest.param("${kept.last_lsn}", "${kept.last_lsn}", id="known only later"),
        pytest.param("at ${walk.reference}", "at ${walk.reference}", id="later, inside a text"),
        pytest.param("$ {target} $$ ${}", "$ {target} $$ ${}", id="no reference at all"),
    ],
)
def test_reference_is_replaced_by_what_it_names(value: object, expected: object) -> None:
    assert _bound(value) == (expected, [])


@pytest.mark.parametrize(
    ("value", "reference", "reason"),
    [
        pytest.param("${tagret}", "tagret", "there is database, target", id="an unknown root"),
        pytest.param("${target.nme}", "target.nme", "there is address, port", id="no such part"),
        pytest.param("${target.port.x}", "target.port.x", "has no parts", id="no parts"),
        pytest.param(
            "run ${database.start}",
            "database.start",
            "is a list and cannot stand inside a text",
            id="a list inside a text",
        ),
    ],
)
def test_reference_that_cannot_be_replaced_is_reported_and_left(
    value: str, reference: str, reason: str
) -> None:
    assert _bound(value) == (value, [Dangling(("steps", 0), reference, reason)])


def test_report_names_the_place_inside_the_document() -> None:
    _, problems = _bound({"run": ["echo", "${x}"], "values": {"a": "${y}"}})

    assert [p.path for p in problems] == [
        ("steps", 0, "run", 1),
        ("steps", 0, "values", "a"),
    ]


def test_replaced_value_is_not_looked_into_again() -> None:
    problems: list[Dangling] = []

    bound = bind("${evil}", {"evil": "${target}"}, (), problems.append)

    assert (bound, problems) == ("${target}", [])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("${kept.lsn}", "0/3000060", id="a whole text"),
        pytest.param("at ${kept.lsn}", "at ${kept.lsn}", id="never a part of a text"),
        pytest.param("${target}", "${target}", id="another root"),
        pytest.param({"a": ["${kept.lsn}", 1]}, {"a": ["0/3000060", 1]}, id="deep"),
        pytest.param(("${kept.lsn}",), ["0/3000060"], id="a tuple"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_kept_value_takes_the_place_of_a_whole_text_only(value: object, expected: object) -> None:
    assert bind_kept(value, {"lsn": "0/3000060"}) == expected


def test_value_nobody_kept_is_missed() -> None:
    with pytest.raises(KeyError, match="lsn"):
        bind_kept({"values": ["${kept.lsn}"]}, {})


@given(st.text())
def test_what_a_target_said_is_never_templated(said: str) -> None:
    assert bind_kept(["${kept.said}"], {"said": said, "x": "leaked"}) == [said]


@given(st.text())
def test_binding_is_total(text: str) -> None:
    bound, problems = _bound(text)

    assert bound == text or problems == []
