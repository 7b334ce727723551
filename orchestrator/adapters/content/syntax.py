"""What libyaml says of broken YAML, in words for its author."""

from __future__ import annotations

from typing import Protocol

from yaml import MarkedYAMLError

from orchestrator.adapters.content.documents import Place
from orchestrator.domain.problem import Position, Problem

_NOT_CLOSED = "something is opened here and not closed"

# What libyaml says (a part of it) -> what, why, remedy, and whether its beginning is the place.
_WORDS: tuple[tuple[str, tuple[str, str, str, bool]], ...] = (
    (
        "did not find expected ',' or ']'",
        ("the list is not closed", "a `[` needs its `]`", "add `]`, or a comma", True),
    ),
    (
        "did not find expected ',' or '}'",
        ("the mapping is not closed", "a `{` needs its `}`", "add `}`, or a comma", True),
    ),
    (
        "found unexpected end of stream",
        ("the quote is not closed", "the text goes on to the end", "add the closing quote", True),
    ),
    (
        "mapping values are not allowed",
        (
            "a key cannot stand here",
            "the line has a second `: `, or is indented too far",
            "put text with `: ` in quotes, or mend the indentation",
            False,
        ),
    ),
    (
        "could not find expected ':'",
        ("the line is no `key: value`", "a `:` is missing", "add `: ` behind the key", True),
    ),
    (
        "did not find expected key",
        (
            "the line does not fit into the mapping above",
            "its keys must stand in one column",
            "mend the indentation",
            False,
        ),
    ),
    (
        "did not find expected '-' indicator",
        (
            "the line does not fit into the list above",
            "its items must begin with `- ` in one column",
            "mend the indentation",
            False,
        ),
    ),
    (
        "tab character",
        ("there is a tab", "YAML indents with spaces only", "replace it with spaces", False),
    ),
    (
        "block sequence entries are not allowed",
        ("a list cannot begin here", "`- ` needs its own line", "begin a new line", False),
    ),
    (
        "undefined tag handle",
        ("there is a tag", "tags are not allowed", "remove what begins with `!`", False),
    ),
)


def describe(error: MarkedYAMLError, text: str, file: str) -> Problem:
    """Return the one problem that stops the parser."""
    what, why, remedy, at_beginning = _words(error, text)
    mark = (error.context_mark if at_beginning else None) or error.problem_mark
    return Problem(position=Position(file, *place(mark)), what=what, why=why, remedy=remedy)


class Mark(Protocol):
    """A place as libyaml tells it, counted from 0."""

    @property
    def line(self) -> int:
        """Lines before it."""

    @property
    def column(self) -> int:
        """Characters before it in its line."""


def place(mark: Mark | None) -> Place:
    """Return where *mark* is; without one, the beginning of the file."""
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _words(error: MarkedYAMLError, text: str) -> tuple[str, str, str, bool]:
    complaint = f"{error.problem or ''} {error.context or ''}"
    if "cannot start any token" in complaint:
        return _bad_start(_character_at(error.problem_mark, text))
    for part, words in _WORDS:
        if part in complaint:
            return words
    return ("this is not YAML", (error.problem or _NOT_CLOSED).rstrip("."), "mend it", False)


def _bad_start(character: str) -> tuple[str, str, str, bool]:
    if character == "\t":
        return dict(_WORDS)["tab character"]
    return (
        f"text cannot begin with `{character}`",
        "YAML keeps that character for itself",
        "put the text in quotes",
        False,
    )


def _character_at(mark: Mark | None, text: str) -> str:
    if mark is None:
        return ""
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    return line[mark.column : mark.column + 1]
