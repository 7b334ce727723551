"""What is wrong with content, where, why, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


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
