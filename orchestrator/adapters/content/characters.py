"""Bytes to text: UTF-8 only, and nothing in it that an editor would hide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.domain.problem import Position, Problem

# Control characters, line ends that editors do not count, marks that reorder text on the screen
# so that it reads as something else, and what is no character at all.
HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff\ufffe\uffff]"
)


def decode(data: bytes, file: str) -> tuple[str, tuple[Problem, ...]]:
    """Return *data* as text, and what forbids to read on; with problems the text is useless."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return "", (_not_utf8(data, error.start, file),)
    return text, tuple(_hidden_characters(text, file))


def _not_utf8(data: bytes, start: int, file: str) -> Problem:
    before = data[:start].decode("utf-8", "replace")
    return Problem(
        position=_position(before, len(before), file),
        what=f"byte 0x{data[start]:02x} is not UTF-8",
        why="content is read as UTF-8 only",
        remedy="save the file as UTF-8",
    )


def _hidden_characters(text: str, file: str) -> Iterator[Problem]:
    for found, _ in zip(HIDDEN.finditer(text), range(10), strict=False):
        yield Problem(
            position=_position(text, found.start(), file),
            what=f"there is a hidden character U+{ord(found[0]):04X}",
            why="what a reviewer cannot see must not be in a playbook",
            remedy="remove it, or write it as an escape in double quotes where it may stand",
        )


def _position(text: str, offset: int, file: str) -> Position:
    line = text.count("\n", 0, offset) + 1
    return Position(file, line, offset - text.rfind("\n", 0, offset))
