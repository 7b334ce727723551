from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.expectation import Condition, Expectation, shortfalls


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        pytest.param("primary", "primary", id="equal texts"),
        pytest.param(1, "1", id="a number where text is wanted"),
        pytest.param("12", 12, id="a number that came as text"),
        pytest.param("12.0", 12, id="a number in another form"),
        pytest.param(False, False, id="equal truth values"),
        pytest.param(None, None, id="nothing where nothing is wanted"),
        pytest.param("12", Condition(at_most=20), id="at most, as text"),
        pytest.param(20, Condition(at_most=20, at_least=20), id="exactly at both bounds"),
        pytest.param("sync", Condition(one_of=("sync", "quorum")), id="one of a set"),
        pytest.param(True, Condition(one_of=(True,)), id="a truth value of a set"),
        pytest.param("PostgreSQL 15.18", Condition(matches=r"^PostgreSQL 15\."), id="a pattern"),
        pytest.param("db-a2", Condition(differs_from="db-a1"), id="something else"),
        pytest.param("anything", Condition(), id="no term at all"),
    ],
)
def test_value_that_is_as_wanted_has_no_shortfall(seen: object, wanted: Expectation) -> None:
    assert shortfalls(seen, wanted) == ()


@pytest.mark.parametrize(
    ("seen", "wanted", "told"),
    [
        pytest.param("standby", "primary", "is standby, not primary", id="other text"),
        pytest.param(True, False, "is true, not false", id="the other truth value"),
        pytest.param("false", False, "is false, not false", id="text is no truth value"),
        pytest.param(1, True, "is 1, not true", id="a number is no truth value"),
        pytest.param(True, 1, "is true, not 1", id="a truth value is no number"),
        pytest.param("abc", 1, "is abc, not 1", id="text is no number"),
        pytest.param(None, "x", "is nothing, not x", id="nothing was seen"),
        pytest.param("", None, "is , not nothing", id="empty text is not nothing"),
        pytest.param(21, Condition(at_most=20), "is 21, wanted at most 20", id="too much"),
        pytest.param("lots", Condition(at_most=20), "is lots, wanted at most 20", id="no number"),
        pytest.param(
            True,
            Condition(at_least=1),
            "is true, wanted at least 1",
            id="not a number",
        ),
        pytest.param(0.5, Condition(at_least=1), "is 0.5, wanted at least 1", id="too little"),
        pytest.param(
            "async",
            Condition(one_of=("sync", 1)),
            "is async, wanted one of sync, 1",
            id="none of them",
        ),
        pytest.param("14", Condition(matches="^15"), "is 14, wanted a match of ^15", id="other"),
        pytest.param(
            "db-a1",
            Condition(differs_from="db-a1"),
            "is db-a1, which it must not be",
            id="the same",
        ),
    ],
)
def test_shortfall_says_what_was_seen_and_what_was_wanted(
    seen: object, wanted: Expectation, told: str
) -> None:
    assert shortfalls(seen, wanted) == (told,)


def test_every_broken_term_is_told() -> None:
    told = shortfalls(5, Condition(at_most=3, one_of=(1, 2), matches="^1"))

    assert len(told) == 3


@given(st.none() | st.booleans() | st.integers() | st.text())
def test_nothing_seen_never_meets_a_bound(wanted: bool | int | str | None) -> None:
    assert shortfalls(None, Condition(at_most=10)) != ()
    assert (shortfalls(None, wanted) == ()) == (wanted is None)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_value_that_is_no_number_never_meets_a_bound(bound: float) -> None:
    assert shortfalls(float("nan"), Condition(at_most=bound)) != ()
