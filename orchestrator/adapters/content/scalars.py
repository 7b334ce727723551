"""Plain YAML scalars by the core schema of YAML 1.2, less what reads differently elsewhere.

``on``, ``yes``, ``22:22`` and ``2026-01-02`` are text. Source: YAML 1.2.2, chapter 10.3.
"""

from __future__ import annotations

import math
import re

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_LONGEST_NUMBER = 32


class ScalarRefused(ValueError):
    """The scalar is a number that readers of YAML do not agree about; the message says why."""


def resolve(text: str) -> str | int | float | bool | None:
    """Return what an unquoted *text* means.

    Raises:
        ScalarRefused: If it is a number with a leading zero, not finite, or absurdly long.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    return _number(text)


def _number(text: str) -> str | int | float:
    if _NOT_FINITE.fullmatch(text):
        raise ScalarRefused("it is a number that cannot be compared")
    if not any(form.fullmatch(text) for form in (_DECIMAL, _OCTAL_OR_HEX, _FLOAT)):
        return text
    if len(text) > _LONGEST_NUMBER:
        raise ScalarRefused(f"a number has at most {_LONGEST_NUMBER} digits here")
    if _LEADING_ZERO.fullmatch(text):
        raise ScalarRefused("some readers of YAML take it for octal, others do not")
    if _DECIMAL.fullmatch(text):
        return int(text)
    return _int_or_float(text)


def _int_or_float(text: str) -> int | float:
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    number = float(text)
    if not math.isfinite(number):
        raise ScalarRefused("it is too large for a number")
    return number
