"""What a dataclass says of its fields, read from the ``Attributes:`` of its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

_ENTRY = re.compile(r"^ {4}(\w+): ((?:.|\n(?! {4}\w+: )(?= {5}))*)", re.MULTILINE)


def summary_of(cls: type) -> str:
    """Return the first line of its docstring."""
    return _one_line((inspect.getdoc(cls) or "").partition("\n")[0])


def attributes_of(cls: type) -> Mapping[str, str]:
    """Return the description of each field that has one, on one line."""
    _, _, attributes = (inspect.getdoc(cls) or "").partition("Attributes:\n")
    return {name: _one_line(text) for name, text in _ENTRY.findall(attributes)}


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")
