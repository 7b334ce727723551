"""Ways through a JSON Schema, to say what may stand at a place in a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.domain.problem import Path

Schema = Mapping[str, Any]
"""A JSON Schema, or a part of it."""

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def nodes_at(schema: Schema, path: Path) -> list[Schema]:
    """Return every part of *schema* that a value at *path* may follow."""
    nodes = list(_alternatives(schema, schema))
    for part in path:
        nodes = [
            alternative
            for node in nodes
            for child in _children(node, part)
            for alternative in _alternatives(schema, child)
        ]
    return nodes


def known_keys(schema: Schema, path: Path) -> list[str]:
    """Return the keys that a mapping at *path* may have, without repetition."""
    keys = (key for node in nodes_at(schema, path) for key in node.get("properties", {}))
    return list(dict.fromkeys(keys))


def description_at(schema: Schema, path: Path) -> str:
    """Return what is said of the value at *path*; empty if nothing is."""
    *holder, key = path
    for node in nodes_at(schema, tuple(holder)):
        found = node.get("properties", {}).get(key, {}).get("description", "")
        if found:
            return str(found)
    return ""


def wanted_at(schema: Schema, path: Path) -> list[str]:
    """Return in words what may stand at *path*."""
    words = (word for node in nodes_at(schema, path) for word in _words(node))
    return list(dict.fromkeys(words))


def choices_at(schema: Schema, path: Path) -> list[str]:
    """Return the words that may stand at *path*, if they can be counted."""
    return [str(word) for node in nodes_at(schema, path) for word in node.get("enum", ())]


def _words(node: Schema) -> Iterator[str]:
    if "enum" not in node and "pattern" not in node and "type" in node:
        yield _TYPES[node["type"]]


def _children(node: Schema, part: str | int) -> Iterator[Schema]:
    if isinstance(part, int):
        children = [node.get("items")]
    elif part in node.get("properties", {}):
        children = [node["properties"][part]]
    else:
        children = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    yield from (child for child in children if isinstance(child, Mapping))


def _alternatives(schema: Schema, node: Schema) -> Iterator[Schema]:
    """Yield *node*, or what it refers to and what it lets one choose from."""
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        yield from _alternatives(schema, schema["$defs"][name])
        return
    choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    for choice in choices:
        yield from _alternatives(schema, choice)
    if not choices:
        yield node
