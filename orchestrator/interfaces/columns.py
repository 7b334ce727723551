"""Text in the columns of a terminal: the hostile made visible, the wide counted as wide."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from orchestrator.adapters.reports.words import visible

NARROWEST = 60
WIDEST = 100
"""Longer lines are hard to read, however wide the screen is."""


def screen_width() -> int:
    """Return how many columns a line may fill; 80 where there is no terminal."""
    return min(max(NARROWEST, shutil.get_terminal_size().columns), WIDEST)


def printable(text: str) -> str:
    """Return *text* as one line, with whatever would steer a terminal shown as a sign.

    What a target printed may hold terminal sequences; they must not act here.
    """
    return visible(" ".join(text.split()))


def columns_of(text: str) -> int:
    """Return how many columns *text* fills, without escape sequences of ours in it."""
    return sum(_columns_of(character) for character in text)


def wrapped(text: str, first: str = "", rest: str = "", *, most: int = 0) -> Iterator[str]:
    """Break *text* between its words into lines that fit the screen.

    Args:
        text: What is to be told; runs of blanks become one.
        first: Begins the first line; its blanks stay.
        rest: Begins every other line, and is as wide as *first* or narrower.
        most: Lines to show at most; 0 shows all.
    """
    room = max(1, screen_width() - max(columns_of(first), columns_of(rest)))
    lines = list(_lines(text, room)) or [""]
    if most and len(lines) > most:
        lines = [*lines[: most - 1], "…"]
    for number, line in enumerate(lines):
        yield f"{rest if number else first}{line}".rstrip()


def labelled(label: str, text: str, *, indent: int, width: int, most: int = 0) -> Iterator[str]:
    """Break *text* behind a label of *width* columns; what comes below stands under the text."""
    first = f"{' ' * indent}{label:{width}}"
    yield from wrapped(printable(text), first, " " * len(first), most=most)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table whose columns are as wide as they need to be."""
    lines = [tuple(heads), *rows]
    widths = [max(map(columns_of, column)) for column in zip_longest(*lines, fillvalue="")]
    for line in lines:
        cells = (cell + " " * (w - columns_of(cell)) for cell, w in zip(line, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _lines(text: str, room: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if columns_of(longer) <= room:
            line = longer
            continue
        if line:
            yield line
        *full, line = _pieces(word, room)
        yield from full
    if line:
        yield line


def _pieces(word: str, room: int) -> Iterator[str]:
    piece = ""
    for character in word:
        if piece and columns_of(piece + character) > room:
            yield piece
            piece = ""
        piece += character
    yield piece


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
