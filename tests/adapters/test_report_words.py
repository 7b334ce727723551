from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.reports.words import (
    bounds,
    clock,
    count,
    day,
    duration,
    milliseconds,
    visible,
)
from tests.support.builders import after


@given(st.text())
def test_nothing_invisible_is_left_in_a_visible_text(text: str) -> None:
    shown = visible(text)

    left = {c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn"}}
    assert left <= {"\n", "\t"}


@pytest.mark.parametrize("text", ["plain text", "主库 失联", "naïve – “quoted” ✓", "a\n\tb"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "not known"),
        (0.0, "0 ms"),
        (0.0434, "43 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00.0 s"),
        (125.04, "2 min 05.0 s"),
        (3_725, "1 h 02 min"),
    ],
)
def test_duration_in_words(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("at_least", "at_most", "words"),
    [
        (None, 1.0, "not known"),
        (0.0, 0.0, "0 s"),
        (0.0, 0.231, "0 – 231 ms"),
        (0.1, 0.231, "100 – 231 ms"),
        (0.5, 1.5, "500 ms – 1.5 s"),
        (2.0, 2.01, "2.0 s"),
        (50.0, 61.0, "50.0 s – 1 min 01.0 s"),
        (61.0, 125.0, "1 min 01.0 s – 2 min 05.0 s"),
    ],
)
def test_bounds_in_words(at_least: float | None, at_most: float | None, words: str) -> None:
    assert bounds(at_least, at_most) == words


def test_small_words() -> None:
    assert milliseconds(1_500) == "1.5 s"
    assert milliseconds(None) == "not known"
    assert count(1_234_567) == "1\u202f234\u202f567"
    assert count(None) == "not known"
    assert clock(after(1.5)) == "12:00:01.500"
    assert clock(None) == "—"
    assert day(after(0)) == "2026-01-02 12:00:00 UTC"
    assert day(None) == "—"
