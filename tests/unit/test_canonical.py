from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.canonical import canonical_json, digest_of
from orchestrator.domain.verdict import Verdict
from tests.support.builders import some_evidence

texts = st.text(max_size=8)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=16,
)


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "null", id="nothing"),
        pytest.param(True, "true", id="a truth value"),
        pytest.param(1.5, "1.5", id="a number"),
        pytest.param("主库", '"主库"', id="text beyond ASCII, as it is"),
        pytest.param(Colour.RED, '"red"', id="a member of an enumeration"),
        pytest.param(timedelta(milliseconds=1500), "1.5", id="a duration, in seconds"),
        pytest.param(datetime(2026, 1, 2, tzinfo=UTC), '"2026-01-02T00:00:00+00:00"', id="a time"),
        pytest.param({"b": 1, "a": 2}, '{"a":2,"b":1}', id="a mapping, sorted by key"),
        pytest.param((1, [2]), "[1,[2]]", id="sequences"),
        pytest.param(frozenset({"b", "a"}), '["a","b"]', id="a set, sorted"),
    ],
)
def test_each_kind_of_value_has_one_form(value: object, text: str) -> None:
    assert canonical_json(value).decode() == text


def test_dataclass_is_written_by_its_fields() -> None:
    text = canonical_json(some_evidence(Verdict.FAILED, "lag 3 GB"))

    assert text == (
        b'{"at":"2026-01-02T12:00:00+00:00","kept":{},"summary":"lag 3 GB","verdict":"failed"}'
    )


@pytest.mark.parametrize("value", [object(), some_evidence, type(some_evidence())])
def test_value_without_a_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no canonical form"):
        canonical_json(value)


@given(st.dictionaries(texts, plain_values, max_size=6))
def test_order_of_keys_does_not_change_the_digest(value: dict[str, object]) -> None:
    assert digest_of(dict(reversed(value.items()))) == digest_of(value)


@given(st.text(), st.text())
def test_different_texts_have_different_digests(one: str, other: str) -> None:
    assert (digest_of({"text": one}) == digest_of({"text": other})) == (one == other)
