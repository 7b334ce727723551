"""What pydantic says of a document, in words for its author."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import islice

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestrator.adapters.content.documents import Document
from orchestrator.adapters.content.reading import MOST_PROBLEMS
from orchestrator.adapters.content.schema_paths import (
    Schema,
    choices_at,
    description_at,
    known_keys,
    wanted_at,
)
from orchestrator.domain.problem import Fault, Path

_HOW_TO_WRITE = {
    "text": "write text, in quotes if it looks like something else",
    "a whole number": "write a number like `5`",
    "a number": "write a number like `0.5`",
    "true or false": "write `true` or `false`",
    "a list": "write it as a list, `[...]`",
    "a mapping": "write its keys below it",
}


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return a remedy: what *word* was probably meant to be, or what is known."""
    close = get_close_matches(word[:64], known, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    listed = ", ".join(f"`{name}`" for name in known[:20])
    return f"known here: {listed}" if listed else "remove it"


def show(value: object) -> str:
    """Return *value* as a person would name it; never more than a few words of it."""
    match value:
        case None:
            return "empty"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"the number `{value}`"
        case str():
            return f"the text `{value if len(value) <= 40 else value[:40] + '…'}`"
        case list():
            return "a list"
        case _:
            return "a mapping"


def label(path: Path) -> str:
    """Return the last part of *path* in words."""
    match path:
        case (*_, str() as key):
            return f"`{key[:64]}`"
        case (*_, str() as key, int() as index):
            return f"item {index + 1} of `{key[:64]}`"
        case _:
            return "the document"


def explain(error: ValidationError, schema: Schema, document: Document) -> Iterator[Fault]:
    """Yield what is wrong with *document*, each mistake once, at most a hundred."""
    details = error.errors(include_url=False)
    faults = (_fault(detail, schema, document) for detail in islice(details, 10 * MOST_PROBLEMS))
    yield from islice(dict.fromkeys(faults), MOST_PROBLEMS)


def _fault(detail: ErrorDetails, schema: Schema, document: Document) -> Fault:
    path = document.settle(detail["loc"])
    match detail["type"]:
        case "missing":
            return _missing((*path, detail["loc"][-1]), schema)
        case "extra_forbidden":
            return _unknown(path, schema)
        case "refused":
            return _refused(path, detail)
        case "value_error":
            return Fault(
                path, f"{label(path)} cannot be so", str(detail["ctx"]["error"]), "mend it"
            )
        case _:
            return _mistyped(path, detail, schema)


def _missing(path: Path, schema: Schema) -> Fault:
    about = description_at(schema, path).partition(". ")[0].rstrip(".")
    why = f"it tells: {about}" if about else "it is needed"
    return Fault(path, f"{label(path)} is missing", why, f"add `{path[-1]}:`")


def _unknown(path: Path, schema: Schema) -> Fault:
    holder = path[:-1]
    where = f" in {label(holder)}" if holder else ""
    return Fault(
        path,
        f"{label(path)} is not known{where}",
        "an unknown key would be ignored in silence",
        suggestion(str(path[-1]), known_keys(schema, holder)),
        at_key=True,
    )


def _refused(path: Path, detail: ErrorDetails) -> Fault:
    words = detail["ctx"]
    what = words["what"] or f"{label(path)} is {show(detail['input'])}"
    at_key = detail["loc"][-1:] == ("[key]",)
    return Fault(path, what, words["why"], words["remedy"], at_key=at_key)


def _mistyped(path: Path, detail: ErrorDetails, schema: Schema) -> Fault:
    what = f"{label(path)} is {show(detail['input'])}"
    words = choices_at(schema, path)
    if words:
        why = f"it must be one of {', '.join(words)}"
        return Fault(path, what, why, suggestion(str(detail["input"]), words))
    wanted = wanted_at(schema, path)
    why = f"{' or '.join(wanted) or 'something else'} is wanted"
    return Fault(path, what, why, _HOW_TO_WRITE.get("".join(wanted[:1]), "mend it"))
