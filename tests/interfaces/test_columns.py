from __future__ import annotations

import pytest

from orchestrator.interfaces.columns import columns_of, labelled, printable, table, wrapped
from tests.support.stories import HOSTILE


def test_a_line_breaks_between_words_and_goes_on_below_its_beginning() -> None:
    lines = list(wrapped("word " * 30, "  first ", "        "))

    assert lines[0].startswith("  first word word")
    assert all(line.startswith("        word") for line in lines[1:])
    assert all(columns_of(line) <= 80 for line in lines)
    assert " ".join(" ".join(lines).split()).count("word") == 30


def test_a_word_longer_than_the_screen_is_cut_and_nothing_of_it_is_lost() -> None:
    lines = list(wrapped("x" * 200, "> ", "  "))

    assert [columns_of(line) for line in lines] == [80, 80, 46]
    assert "".join(lines).replace(" ", "").replace(">", "") == "x" * 200


def test_chinese_fills_two_columns_a_character() -> None:
    assert columns_of("主库a") == 5
    assert all(columns_of(line) <= 80 for line in wrapped("主库切换演练" * 20))


def test_an_accent_of_its_own_fills_no_column() -> None:
    assert columns_of("e\u0301") == 1


def test_what_is_left_out_is_shown_to_be_left_out() -> None:
    lines = list(wrapped("word " * 100, most=3))

    assert len(lines) == 3
    assert lines[-1] == "…"


def test_nothing_is_one_empty_line() -> None:
    assert list(wrapped("")) == [""]


def test_a_label_stands_beside_its_text_and_nothing_below_it() -> None:
    first, second = labelled("why", "word " * 20, indent=2, width=6)

    assert first.startswith("  why   word")
    assert second.startswith("        word")


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\u202e", "\u202c", "\x9b", "\u2028", "\r"])
def test_nothing_that_steers_a_terminal_is_printed_as_it_is(character: str) -> None:
    assert character not in printable(f"a{character}b")


def test_hostile_text_is_one_line_that_can_still_be_read() -> None:
    told = printable(f"{HOSTILE}\n\tmore")

    assert "\n" not in told
    assert "[U+001B][31mred" in told
    assert told.endswith("more")


def test_columns_of_a_table_are_as_wide_as_they_need_to_be() -> None:
    lines = list(table(("NAME", "STATE"), [("主库", "up"), ("db-a1", "down")]))

    assert lines == ["NAME   STATE", "主库   up", "db-a1  down"]


@pytest.mark.parametrize(("columns", "widest"), [("20", 60), ("72", 72), ("300", 100)])
def test_lines_fit_the_terminal_within_reason(
    columns: str, widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    assert max(columns_of(line) for line in wrapped("ab " * 300)) in range(widest - 2, widest + 1)
