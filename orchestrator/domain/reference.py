"""References: `${root.attribute}` in what an author wrote, to be bound later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.domain.problem import Path

REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.\-]+)\}")
"""What is between the braces is group 1."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference, and where it stands.

    Attributes:
        path: From the value that was searched to the text that holds it.
        name: Between the braces, e.g. ``database.primary``.
        is_whole: True if the text is nothing else.
    """

    path: Path
    name: str
    is_whole: bool

    @property
    def root(self) -> str:
        """The part before the first dot: a parameter, or where later values come from."""
        return self.name.partition(".")[0]

    @property
    def attribute(self) -> str:
        """The part behind the first dot; empty if there is none."""
        return self.name.partition(".")[2]


def has_reference(value: object) -> bool:
    """Return whether *value* is a text that cannot be judged before it is bound."""
    return isinstance(value, str) and REFERENCE.search(value) is not None


def references_in(value: object, path: Path = ()) -> Iterator[Reference]:
    """Yield every reference in *value*, keys of mappings left out, in the author's order."""
    match value:
        case str():
            whole = REFERENCE.fullmatch(value) is not None
            for found in REFERENCE.finditer(value):
                yield Reference(path, found[1], whole)
        case Mapping():
            for key, item in value.items():
                yield from references_in(item, (*path, str(key)))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from references_in(item, (*path, index))
        case _:
            return
