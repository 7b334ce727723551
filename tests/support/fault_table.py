"""What the fault suite saw, as a table behind its tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

HEADER = ("FAULT", "DIAGNOSIS", "DECISION", "BACK AFTER", "LOST", "END")


@dataclass(frozen=True, slots=True)
class FaultTable:
    """Rows in the order of the tests."""

    rows: list[Sequence[str]] = field(default_factory=list)

    def add(self, row: Sequence[str]) -> None:
        """Keep what one test saw, whatever it thinks of it."""
        self.rows.append(row)

    def lines(self) -> Iterator[str]:
        """Yield the table, its columns as wide as they have to be."""
        rows = [HEADER, *self.rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            yield "  ".join(cells).rstrip()
