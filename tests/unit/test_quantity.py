from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.quantity import parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200ms", timedelta(milliseconds=200)),
        ("30s", timedelta(seconds=30)),
        ("0.5s", timedelta(milliseconds=500)),
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("10d", timedelta(days=10)),
        ("0s", timedelta(0)),
    ],
)
def test_duration_carries_its_unit(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("30", id="a bare number"),
        pytest.param("30 s", id="a space before the unit"),
        pytest.param("30s1h", id="units in the wrong order"),
        pytest.param("-30s", id="before the beginning"),
        pytest.param("3O s", id="a letter for a digit"),
        pytest.param("٣s", id="digits of another script"),
        pytest.param("30s\n", id="a line end behind it"),
        pytest.param("9999999d", id="longer than anybody waits"),
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("512B", 512), ("64kB", 64_000), ("16MiB", 16 * 2**20), ("1.5GB", 1_500_000_000)],
)
def test_size_carries_its_unit(text: str, expected: int) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize("text", ["16", "16 MiB", "16mib", "MiB", "-1B", "1e9B", ""])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@given(hours=st.integers(0, 9999), minutes=st.integers(0, 9999))
def test_parts_of_a_duration_add_up(hours: int, minutes: int) -> None:
    assert parse_duration(f"{hours}h{minutes}m") == timedelta(hours=hours, minutes=minutes)
