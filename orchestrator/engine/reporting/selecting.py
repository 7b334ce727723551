"""Picks events of one kind out of a journal, with the time of each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from orchestrator.domain.run import Entry

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Told(Generic[E]):
    """An event and when it was written down."""

    at: datetime
    event: E


def select(entries: Iterable[Entry], kind: type[E]) -> Iterator[Told[E]]:
    """Yield the events of *kind*, oldest first."""
    for entry in entries:
        if isinstance(entry.event, kind):
            yield Told(entry.at, entry.event)


def first_of(entries: Iterable[Entry], kind: type[E]) -> Told[E] | None:
    """Return the oldest event of *kind*."""
    return next(select(entries, kind), None)


def newest_of(entries: Iterable[Entry], kind: type[E]) -> Told[E] | None:
    """Return the newest event of *kind*."""
    return max(select(entries, kind), key=lambda told: told.at, default=None)
