"""Bytes to a document, by the events of libyaml.

Only events: they come one by one, so that bombs and brackets 200,000 deep are refused as soon as
they begin. libyaml's own object builder crashes on them, and its parser would take 88 seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from orchestrator.adapters.content.characters import HIDDEN, decode
from orchestrator.adapters.content.documents import REFUSED, Document, Place
from orchestrator.adapters.content.scalars import ScalarRefused, resolve
from orchestrator.adapters.content.syntax import describe, place
from orchestrator.domain.problem import Path, Position, Problem

DEEPEST = 32
MOST_VALUES = 50_000
MOST_PROBLEMS = 100


def parse(data: bytes, file: str) -> Document:
    """Return what *data* says; never raises for what is in it."""
    text, problems = decode(data, file)
    if problems:
        return Document(file=file, value=REFUSED, problems=problems)
    reader = _Reader(file, text)
    value = reader.read()
    return Document(
        file=file,
        value=value,
        problems=tuple(reader.problems),
        places=reader.places,
        keys=reader.keys,
    )


class _Stop(Exception):
    """Reading on makes no sense; the problem is listed."""


class _Reader:
    """Follows the events of one document; depth and number of values are bounded."""

    def __init__(self, file: str, text: str) -> None:
        self.problems: list[Problem] = []
        self.places: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self._file = file
        self._text = text
        self._events: Iterator[yaml.Event] = iter(())

    def read(self) -> object:
        self._events = yaml.parse(self._text, Loader=yaml.CSafeLoader)
        try:
            return self._document()
        except _Stop:
            return REFUSED
        except yaml.MarkedYAMLError as error:
            self.problems.append(describe(error, self._text, self._file))
            return REFUSED

    def _document(self) -> object:
        next(self._events)  # the stream begins
        if isinstance(next(self._events), yaml.StreamEndEvent):
            self._complain(None, "the file is empty", "nothing can be read from it", "fill it")
            raise _Stop
        value = self._node(next(self._events), ())
        next(self._events)  # the document ends
        another = next(self._events)
        if isinstance(another, yaml.DocumentStartEvent):
            self._complain(
                another,
                "a second document begins",
                "a file holds one document",
                "remove `---` or split the file",
            )
        return value

    def _node(self, event: yaml.Event, path: Path) -> object:
        self._count(event, len(path))
        self.places[path] = place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            self._complain_of_alias(event)
            return REFUSED
        self._refuse_properties(event)
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event)
            case yaml.SequenceStartEvent():
                return self._sequence(path)
            case _:
                return self._mapping(path)

    def _count(self, event: yaml.Event, depth: int) -> None:
        if depth > DEEPEST:
            self._complain(
                event,
                f"values are nested more than {DEEPEST} deep",
                "nobody could read that",
                "flatten them",
            )
            raise _Stop
        if len(self.places) >= MOST_VALUES:
            self._complain(
                event,
                f"there are more than {MOST_VALUES} values",
                "a file of that size is a mistake or an attack",
                "split it",
            )
            raise _Stop

    def _complain_of_alias(self, event: yaml.AliasEvent) -> None:
        self._complain(
            event,
            f"`*{(event.anchor or '')[:64]}` is an alias",
            "what a step does must stand where the step stands",
            "write the value out",
        )

    def _refuse_properties(self, event: yaml.Event) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor:
            self._complain(
                event, f"`&{anchor[:64]}` is an anchor", "aliases are not allowed", "remove it"
            )
        if tag:
            self._complain(
                event, f"`{tag[:64]}` is a tag", "tags are not allowed", "write a plain value"
            )

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        hidden = HIDDEN.search(event.value)
        if hidden:
            self._complain(
                event,
                f"the text holds a hidden character U+{ord(hidden[0]):04X}",
                "no system would show it",
                "remove the escape",
            )
            return REFUSED
        if not event.implicit[0]:
            return event.value
        try:
            return resolve(event.value)
        except ScalarRefused as refused:
            self._complain(
                event,
                f"`{event.value[:40]}` cannot be read as a number",
                str(refused),
                "put it in quotes if it is text",
            )
            return REFUSED

    def _sequence(self, path: Path) -> list[object]:
        items: list[object] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, object]:
        items: dict[str, object] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event)
            if key is None:
                self._pass_over(next(self._events))
            elif key in items:
                self._complain_of_repetition(event, key, self.keys[*path, key])
                self._pass_over(next(self._events))
            else:
                self.keys[*path, key] = place(event.start_mark)
                items[key] = self._node(next(self._events), (*path, key))
        return items

    def _key(self, event: yaml.Event) -> str | None:
        """Return the key, or ``None`` if it is refused."""
        self._refuse_properties(event)
        key = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None
        if isinstance(key, str):
            return key
        if key is not REFUSED:
            self._complain(
                event, "the key is not text", "keys are names", "put it in quotes, or mend it"
            )
        self._pass_over(event)
        return None

    def _complain_of_repetition(self, event: yaml.Event, key: str, first: Place) -> None:
        self._complain(
            event,
            f"`{key[:64]}` stands here a second time",
            f"it stands already in line {first[0]}",
            "remove one of them",
        )

    def _pass_over(self, event: yaml.Event) -> None:
        """Leave out the value that begins with *event*."""
        depth = int(isinstance(event, yaml.CollectionStartEvent))
        while depth:
            inner = next(self._events)
            depth += isinstance(inner, yaml.CollectionStartEvent)
            depth -= isinstance(inner, yaml.CollectionEndEvent)
            self._count(inner, depth)

    def _complain(self, event: yaml.Event | None, what: str, why: str, remedy: str) -> None:
        position = Position(self._file, *place(event.start_mark if event else None))
        self.problems.append(Problem(position=position, what=what, why=why, remedy=remedy))
        if len(self.problems) >= MOST_PROBLEMS:
            raise _Stop
