"""The kinds of single values that authors write, as pydantic checks them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import PlainValidator, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from orchestrator.domain.quantity import (
    DURATION_PATTERN,
    SIZE_PATTERN,
    parse_duration,
    parse_size,
)

NAME_PATTERN = r"[a-z0-9]+(-[a-z0-9]+)*"
HOST_PATTERN = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
LONGEST_NAME = 64


def refusal(why: str, remedy: str, what: str = "") -> PydanticCustomError:
    """Return the error that says of a value *why* it cannot stand, and the *remedy*.

    Without *what*, the wording tells what the value is.
    """
    return PydanticCustomError("refused", "{why}", {"what": what, "why": why, "remedy": remedy})


def _duration(value: object) -> timedelta:
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ValueError:
        raise refusal(
            "a duration with its unit is wanted", "write it as `200ms`, `30s`, `5m` or `1h30m`"
        ) from None


def _number(value: object) -> float:
    """Return a number as it is, a size as its bytes."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        return parse_size(value if isinstance(value, str) else "")
    except ValueError:
        raise refusal(
            "a number, or a size with its unit, is wanted", "write it as `5`, `0.5` or `16MiB`"
        ) from None


def _matching(pattern: str, wanted: str, example: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        text = value if isinstance(value, str) else ""
        if len(text) <= LONGEST_NAME and re.fullmatch(pattern, text, re.ASCII):
            return text
        raise refusal(f"{wanted} is wanted", f"write it like `{example}`")

    return check


def _whole(pattern: str) -> Mapping[str, object]:
    return {"type": "string", "pattern": f"^{pattern}$"}


Duration = Annotated[
    timedelta, PlainValidator(_duration), WithJsonSchema(dict(_whole(DURATION_PATTERN)))
]
Number = Annotated[
    float,
    PlainValidator(_number),
    WithJsonSchema({"anyOf": [{"type": "number"}, dict(_whole(SIZE_PATTERN))]}),
]
Name = Annotated[
    str,
    PlainValidator(_matching(NAME_PATTERN, "a name in kebab-case", "orders-db")),
    WithJsonSchema({**_whole(NAME_PATTERN), "maxLength": LONGEST_NAME}),
]
HostKey = Annotated[
    str,
    PlainValidator(_matching(HOST_PATTERN, "the name of a host", "db-a1")),
    WithJsonSchema(dict(_whole(HOST_PATTERN))),
]
Text = Annotated[str, Strict()]
Whole = Annotated[int, Strict()]
Truth = Annotated[bool, Strict()]


Seconds = Annotated[
    float,
    PlainValidator(lambda value: _duration(value).total_seconds()),
    WithJsonSchema(dict(_whole(DURATION_PATTERN))),
]
"""A duration inside the inputs of an action or probe, which stay plain data: seconds."""
PlainNumber = Annotated[float, Strict()]
