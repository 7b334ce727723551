"""What is wrong with content, where, why, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys and indexes from the top of a document to one of its values."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake of an author, in words for that author."""

    position: Position
    what: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.position}: {self.what}, {self.why}, {self.remedy}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake inside a document, before its place in a file is looked up.

    Attributes:
        path: Where in the document. A probe that stands alone where a list may stand is item 0.
        at_key: True if the key is wrong, and not what it leads to.
    """

    path: Path
    what: str
    why: str
    remedy: str
    at_key: bool = False
