"""References: `${parameter.attribute}` in what an author wrote. Pure.

A reference that is the whole value keeps the kind of what it names, so that a command (a list)
can stand where an argument vector is wanted; inside a longer text it must be a scalar. Roots that
are known only later (``kept``, ``place``, ``walk``) are left as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Path = tuple[str | int, ...]
Scope = Mapping[str, object]

ITSELF = ""
"""Key of a node's own value: ``${target}`` beside ``${target.site}``."""

LATER_ROOTS = frozenset({"kept", "place", "walk"})
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.\-]+)\}")


@dataclass(frozen=True, slots=True)
class Dangling:
    """A reference that names nothing, or nothing that fits where it stands.

    Attributes:
        is_unseen: True if the author is right and the world is not as the reference needs it.
    """

    path: Path
    reference: str
    reason: str
    is_unseen: bool = False


@dataclass(frozen=True, slots=True)
class Unseen:
    """Stands in a scope for what is there as a rule, and could not be found this time."""

    reason: str


def bind(value: object, scope: Scope, path: Path, report: Callable[[Dangling], None]) -> object:
    """Return *value* with every reference replaced by what it names in *scope*.

    Each one that cannot be is reported, and left as it stands. Replaced values are not looked
    into again.
    """
    match value:
        case str():
            return _bind_text(value, scope, path, report)
        case Mapping():
            return {key: bind(item, scope, (*path, key), report) for key, item in value.items()}
        case list() | tuple():
            return _bind_sequence(value, scope, path, report)
        case _:
            return value


def bind_kept(value: object, kept: Mapping[str, str]) -> object:
    """Return *value* with each text that is just ``${kept.NAME}`` replaced by that value.

    Only whole texts: what a target said is data, and never becomes a part of something else.

    Raises:
        KeyError: If nothing of that name was kept.
    """
    match value:
        case str():
            found = _REFERENCE.fullmatch(value)
            if found and found[1].startswith("kept."):
                return kept[found[1].removeprefix("kept.")]
            return value
        case Mapping():
            return {key: bind_kept(item, kept) for key, item in value.items()}
        case list() | tuple():
            return [bind_kept(item, kept) for item in value]
        case _:
            return value


def _bind_sequence(
    items: list[object] | tuple[object, ...],
    scope: Scope,
    path: Path,
    report: Callable[[Dangling], None],
) -> list[object]:
    """Bind each item; a list that takes the place of one item is spliced in."""
    bound: list[object] = []
    for index, item in enumerate(items):
        value = bind(item, scope, (*path, index), report)
        if isinstance(item, str) and isinstance(value, list):
            bound.extend(value)
        else:
            bound.append(value)
    return bound


def _bind_text(text: str, scope: Scope, path: Path, report: Callable[[Dangling], None]) -> object:
    whole = _REFERENCE.fullmatch(text)
    if whole:
        return _look_up(whole[1], text, scope, path, report)

    def insert(found: re.Match[str]) -> str:
        value = _look_up(found[1], found[0], scope, path, report)
        if isinstance(value, list | Mapping):
            report(Dangling(path, found[1], "is a list and cannot stand inside a text"))
            return found[0]
        return str(value)

    return _REFERENCE.sub(insert, text)


def _look_up(
    reference: str, text: str, scope: Scope, path: Path, report: Callable[[Dangling], None]
) -> object:
    root, *attributes = reference.split(".")
    if root in LATER_ROOTS:
        return text
    node: object = scope
    for name in (root, *attributes):
        if not isinstance(node, Mapping) or name not in node:
            report(Dangling(path, reference, _what_there_is(node)))
            return text
        node = node[name]
        if isinstance(node, Unseen):
            report(Dangling(path, reference, node.reason, is_unseen=True))
            return text
    return _own_value(node)


def _own_value(node: object) -> object:
    match node:
        case Mapping():
            return _own_value(node[ITSELF]) if ITSELF in node else dict(node)
        case list() | tuple():
            return [_own_value(item) for item in node]
        case _:
            return node


def _what_there_is(node: object) -> str:
    if not isinstance(node, Mapping):
        return "has no parts"
    return "there is " + ", ".join(sorted(key for key in node if key != ITSELF))
