"""What one YAML file says: plain values, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.domain.problem import Path, Position, Problem

REFUSED = object()
"""Stands for a value that has been complained about already."""


Place = tuple[int, int]
"""Line and column, counted from 1. There are too many of them to be objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What one file says.

    Attributes:
        file: Its name for people, below the content root.
        value: Plain values; ``REFUSED`` where nothing usable stands.
        problems: What is wrong with the YAML itself.
        places: Line and column of each value, by path.
        keys: The same of each key of a mapping, by the path of its value.
    """

    file: str
    value: object
    problems: tuple[Problem, ...] = ()
    places: Mapping[Path, Place] = field(default_factory=dict)
    keys: Mapping[Path, Place] = field(default_factory=dict)

    def settle(self, path: Path) -> Path:
        """Return as much of *path* as there is; parts that name nothing here are skipped."""
        node, found = self.value, []
        for part in path:
            if _has(node, part):
                node = node[part]  # type: ignore[index]  # _has has looked
                found.append(part)
        return tuple(found)

    def at(self, path: Path) -> Position:
        """Return the place of the value at *path*, or of the nearest that holds it."""
        return Position(self.file, *self.places.get(self.settle(path), (1, 1)))

    def at_key(self, path: Path) -> Position:
        """Return the place of the key that leads to *path*, or of the value if it has none."""
        settled = self.settle(path)
        if settled not in self.keys:
            return self.at(settled)
        return Position(self.file, *self.keys[settled])


def _has(node: object, part: str | int) -> bool:
    match node:
        case dict():
            return part in node
        case list():
            return isinstance(part, int) and 0 <= part < len(node)
        case _:
            return False
