"""The inputs of actions and probes: checked by their adapters' dataclasses, kept as plain data."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, NewType

from pydantic import WithJsonSchema

from orchestrator.adapters.content.forms import Forms
from orchestrator.adapters.content.hints import Hint, choice, list_of, literal_of
from orchestrator.adapters.content.leaves import Seconds, Text
from orchestrator.domain.reference import has_reference

_REFERENCE = Annotated[Text, WithJsonSchema({"type": "string", "pattern": r"\$\{[^}]+\}"})]


class InputForms(Forms):
    """Derives forms that give back plain data: durations as seconds, sizes as bytes.

    Args:
        with_references: Whether a text with ``${...}`` may stand for a value of any kind, as it
            may until everything is bound.
    """

    def __init__(self, *, with_references: bool) -> None:
        super().__init__({})
        self._with_references = with_references

    def record(self, cls: type) -> Hint:
        """Return the form of a dataclass, which stays a mapping."""
        return self.shape(cls)

    def hint(self, hint: Hint) -> Hint:
        """Return the form of any type, beside which a reference may stand."""
        form = self._plain(hint)
        if not self._with_references or form is Text or form is Any:
            return form
        return choice({"<reference>": _REFERENCE, "<value>": form}, _reference_or_value)

    def sequence(self, item: Hint) -> Hint:
        """Return the form of a tuple, which stays a list."""
        return list_of(self.hint(item))

    def _plain(self, hint: Hint) -> Hint:
        if hint is timedelta:
            return Seconds
        if isinstance(hint, NewType):
            return Text
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return literal_of([str(member) for member in hint])
        return super().hint(hint)


def _reference_or_value(value: object) -> str:
    return "<reference>" if has_reference(value) else "<value>"
