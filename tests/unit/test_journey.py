from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from orchestrator.domain.expectation import Condition
from orchestrator.domain.journey import (
    Journey,
    JourneyAction,
    JourneyActionKind,
    Place,
    fill,
    references_in,
)
from orchestrator.domain.playbook import JourneyName

PLACE = Place(here="shop/app-a1", there="shop/app-b1")


def an_action(
    name: str = "look",
    *,
    kind: JourneyActionKind = JourneyActionKind.HTTP,
    inputs: Mapping[str, object] | None = None,
    patience: timedelta = timedelta(0),
) -> JourneyAction:
    return JourneyAction(
        name=name,
        kind=kind,
        inputs=inputs or {"url": "${place.here}/items"},
        patience=patience,
    )


def a_journey(*actions: JourneyAction, places: tuple[Place, ...] = (PLACE,)) -> Journey:
    return Journey(
        journey=JourneyName("buy"), title="Buy", places=places, actions=actions or (an_action(),)
    )


def test_journey_says_what_it_needs() -> None:
    journey = a_journey(
        an_action(inputs={"url": "${place.here}/", "json": {"p": ["${secret.user}"]}}),
        an_action(kind=JourneyActionKind.SQL, inputs={"on": "orders-pool", "query": "select 1"}),
        an_action(inputs={"url": "${place.there}/${secret.path}"}),
    )

    assert journey.members == ("shop/app-a1", "shop/app-b1")
    assert journey.databases == ("orders-pool",)
    assert journey.secrets == ("path", "user")


def test_binding_puts_base_urls_in_the_place_of_members() -> None:
    urls = {"shop/app-a1": "http://a", "shop/app-b1": "http://b"}

    assert a_journey().bound_to(urls).places == (Place(here="http://a", there="http://b"),)


def test_binding_misses_no_member() -> None:
    with pytest.raises(KeyError, match="shop/app-b1"):
        a_journey().bound_to({"shop/app-a1": "http://a"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_write_is_never_tried_twice(method: str) -> None:
    with pytest.raises(ValueError, match="only a read may have patience"):
        an_action(
            inputs={"method": method, "url": "${place.here}/orders"},
            patience=timedelta(seconds=1),
        )


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(an_action(patience=timedelta(seconds=1)), id="GET by default"),
        pytest.param(
            an_action(
                kind=JourneyActionKind.SQL,
                inputs={"query": "select 1"},
                patience=timedelta(seconds=1),
            ),
            id="SQL",
        ),
    ],
)
def test_read_may_be_tried_again(action: JourneyAction) -> None:
    assert action.is_read


@pytest.mark.parametrize(
    "url", ["", "http://elsewhere/", "${kept.next}", "${place.here}.evil/", "${place.here}"]
)
def test_action_cannot_leave_its_place(url: str) -> None:
    with pytest.raises(ValueError, match="url must begin with"):
        an_action(inputs={"url": url})


@pytest.mark.parametrize(
    ("places", "actions"), [((), (an_action(),)), ((PLACE,), ())], ids=["place", "action"]
)
def test_journey_without_a_place_or_an_action_is_none(
    places: tuple[Place, ...], actions: tuple[JourneyAction, ...]
) -> None:
    with pytest.raises(ValueError, match="needs a place and an action"):
        Journey(journey=JourneyName("buy"), title="", places=places, actions=actions)


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        pytest.param("no reference", "no reference", id="plain text"),
        pytest.param("${kept.id}", 7, id="a lone reference keeps its type"),
        pytest.param("/orders/${kept.id}?", "/orders/7?", id="within a text it becomes text"),
        pytest.param({"a": ["${kept.id}", 1]}, {"a": [7, 1]}, id="at any depth"),
        pytest.param(("${kept.id}",), [7], id="in a tuple"),
        pytest.param("${kept.evil}", "${kept.id}", id="never a second time"),
        pytest.param("x${kept.evil}", "x${kept.id}", id="nor within a text"),
        pytest.param(None, None, id="what is no text stays"),
        pytest.param("$kept.id ${KEPT}", "$kept.id ${KEPT}", id="what is no reference stays"),
    ],
)
def test_references_are_filled_in_once(template: object, filled: object) -> None:
    assert fill(template, {"kept.id": 7, "kept.evil": "${kept.id}"}) == filled


def test_reference_to_nothing_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"kept\.token"):
        fill({"h": "Bearer ${kept.token}"}, {})


def test_references_are_found_everywhere() -> None:
    value = {"a": ("${x}",), "b": [Condition(one_of=("${y}",), matches="${z}")], "c": 1}

    assert list(references_in(value)) == ["x", "y", "z"]
