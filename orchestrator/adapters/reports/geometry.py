"""Paper, boxes, lines and labels: what a template needs to draw a timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """How much room there is, in pixels.

    Attributes:
        gutter: Room for labels on the left; without it labels stand above their bars.
        row: Height of one row of bars.
        ticks_at_most: How many times of day the axis has room for.
    """

    kind: str
    width: float
    gutter: float
    row: float
    ticks_at_most: int


WIDE = Paper(kind="wide", width=1160, gutter=190, row=22, ticks_at_most=9)
NARROW = Paper(kind="narrow", width=340, gutter=0, row=31, ticks_at_most=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle with a style and the text that shows when one points at it."""

    kind: ClassVar[str] = "box"
    x: float
    y: float
    width: float
    height: float
    style: str
    tip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A text at a place, anchored at its ``start``, ``middle`` or ``end``."""

    kind: ClassVar[str] = "label"
    x: float
    y: float
    text: str
    anchor: str = "start"
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A vertical line."""

    kind: ClassVar[str] = "line"
    x: float
    top: float
    bottom: float
    style: str


Shape = Box | Label | Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One drawing: a strip above the bars of the same time.

    Attributes:
        shapes: In the order in which they are painted.
    """

    title: str
    note: str
    paper: Paper
    height: float
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a moment lies on the paper."""

    since: datetime
    until: datetime
    paper: Paper

    def x(self, at: datetime) -> float:
        """Return the place of *at*; what lies outside is put on the edge."""
        share = min(1.0, max(0.0, (at - self.since) / (self.until - self.since)))
        return round(self.paper.gutter + (self.paper.width - self.paper.gutter) * share, 2)

    def shows(self, start: datetime, end: datetime) -> bool:
        """Return whether any of the time from *start* to *end* lies on the paper."""
        return start < self.until and end > self.since

    def box(
        self,
        start: datetime,
        end: datetime,
        *,
        y: float,
        height: float,
        style: str,
        tip: str = "",
        at_least: float = 0.0,
    ) -> Box:
        """Return the rectangle of a stretch of time, *at_least* so wide that it can be seen."""
        left, right = self.x(start), self.x(end)
        width = max(at_least, right - left)
        left = min(left, self.paper.width - width)
        return Box(x=left, y=y, width=round(width, 2), height=height, style=style, tip=tip)
