"""What a probe wants to see of one value: equality, or a structured condition. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Bounds, a set or a pattern. Everything that is given must hold.

    Attributes:
        at_most: Largest accepted number.
        at_least: Smallest accepted number.
        one_of: Accepted values.
        matches: A regular expression to be found in the value as text.
        differs_from: A value that must not be seen.
    """

    at_most: float | None = None
    at_least: float | None = None
    one_of: tuple[Scalar, ...] | None = None
    matches: str | None = None
    differs_from: Scalar = None


Expectation = Condition | Scalar


def shortfalls(seen: object, wanted: Expectation) -> tuple[str, ...]:
    """Return the reasons why *seen* does not meet *wanted*; empty when it does.

    Numbers may arrive as text ("12" meets ``at_most: 20``); text is never a truth value.
    """
    if isinstance(wanted, Condition):
        return tuple(f"is {_show(seen)}, {reason}" for reason in _broken_terms(seen, wanted))
    if _is_same(seen, wanted):
        return ()
    return (f"is {_show(seen)}, not {_show(wanted)}",)


def _broken_terms(seen: object, wanted: Condition) -> Iterator[str]:
    number = _number(seen)
    if wanted.at_most is not None and not (number is not None and number <= wanted.at_most):
        yield f"wanted at most {wanted.at_most:g}"
    if wanted.at_least is not None and not (number is not None and number >= wanted.at_least):
        yield f"wanted at least {wanted.at_least:g}"
    if wanted.one_of is not None and not any(_is_same(seen, one) for one in wanted.one_of):
        yield "wanted one of " + ", ".join(map(_show, wanted.one_of))
    if wanted.matches is not None and not re.search(wanted.matches, str(seen)):
        yield f"wanted a match of {wanted.matches}"
    if wanted.differs_from is not None and _is_same(seen, wanted.differs_from):
        yield "which it must not be"


def _is_same(seen: object, wanted: Scalar) -> bool:
    if isinstance(seen, bool) or isinstance(wanted, bool) or wanted is None:
        return seen is wanted
    if isinstance(wanted, str):
        return str(seen) == wanted
    return _number(seen) == wanted


def _number(seen: object) -> float | None:
    try:
        return None if isinstance(seen, bool) else float(str(seen))
    except ValueError:
        return None


def _show(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
