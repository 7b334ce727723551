"""Rows of a comparison: as a table for people, as JSON for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

HEADINGS = ("what", "n", "ours median / max", "baseline median / max", "ratio", "baseline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Milliseconds of several trials."""

    median: float
    max: float

    @classmethod
    def of(cls, values_ms: Sequence[float]) -> Spread:
        """Sum trials up; there must be one at least."""
        return cls(median=round(median(values_ms), 1), max=round(max(values_ms), 1))

    def __str__(self) -> str:
        return f"{self.median:,.1f} / {self.max:,.1f} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison.

    Attributes:
        baseline: What it is compared with; empty if with nothing.
        ratio: Of the medians; below 1 ours is quicker.
    """

    name: str
    n: int
    ours_ms: Spread
    baseline: str = ""
    baseline_ms: Spread | None = None
    ratio: float | None = None


def compare(
    name: str, ours_ms: Sequence[float], baseline: str = "", baseline_ms: Sequence[float] = ()
) -> Row:
    """Return the row of these trials."""
    ours = Spread.of(ours_ms)
    theirs = Spread.of(baseline_ms) if baseline_ms else None
    return Row(
        name=name,
        n=len(ours_ms),
        ours_ms=ours,
        baseline=baseline,
        baseline_ms=theirs,
        ratio=round(ours.median / theirs.median, 2) if theirs else None,
    )


def as_table(rows: Iterable[Row]) -> str:
    """Return *rows* in columns."""
    return in_columns([HEADINGS, *(_cells(row) for row in rows)])


def in_columns(lines: Sequence[Sequence[str]]) -> str:
    """Return *lines* with their cells below each other; the first cell of each stands left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in {0, len(line) - 1} else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        str(row.n),
        str(row.ours_ms),
        str(row.baseline_ms) if row.baseline_ms else "–",
        f"{row.ratio:.2f} ×" if row.ratio is not None else "–",
        row.baseline or "–",
    )
