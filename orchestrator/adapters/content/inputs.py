"""The inputs of actions and probes: checked by their adapters' dataclasses, kept as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cache, partial
from typing import Annotated, Any, NewType

from pydantic import TypeAdapter, WithJsonSchema

from orchestrator.adapters.content.documents import Document
from orchestrator.adapters.content.form import Form
from orchestrator.adapters.content.forms import Forms
from orchestrator.adapters.content.hints import Hint, choice, list_of, literal_of, then
from orchestrator.adapters.content.leaves import Seconds, Text
from orchestrator.domain.problem import Fault
from orchestrator.domain.reference import has_reference, references_in

_REFERENCE = Annotated[Text, WithJsonSchema({"type": "string", "pattern": r"\$\{[^}]+\}"})]
_BOUND: Mapping[Hint, Hint] = {timedelta: float, float: float, int: int}
"""Once bound, a duration is seconds and a number may have come from a text."""


class InputForms(Forms):
    """Derives forms that give back plain data: durations as seconds, sizes as bytes.

    Args:
        is_bound: Whether references are replaced already. Before, a text with ``${...}`` may
            stand for a value of any kind.
    """

    def __init__(self, *, is_bound: bool) -> None:
        super().__init__({})
        self._is_bound = is_bound

    def record(self, cls: type) -> Hint:
        """Return the form of a dataclass, which stays a mapping.

        What the dataclass itself refuses is refused here, if nothing is left to be bound.
        """
        return then(self.shape(cls), partial(_try_out, cls))

    def hint(self, hint: Hint) -> Hint:
        """Return the form of any type, beside which a reference may stand until it is bound."""
        form = self._plain(hint)
        if self._is_bound or form is Text or form is Any:
            return form
        return choice({"<reference>": _REFERENCE, "<value>": form}, _reference_or_value)

    def beside(self, hint: Hint) -> Hint:
        """Return the form of a scalar beside which others may stand."""
        return _BOUND[hint] if self._is_bound and hint in _BOUND else super().beside(hint)

    def sequence(self, item: Hint) -> Hint:
        """Return the form of a tuple, which stays a list."""
        return list_of(self.hint(item))

    def _plain(self, hint: Hint) -> Hint:
        if self._is_bound and hint in _BOUND:
            return _BOUND[hint]
        if hint is timedelta:
            return Seconds
        if isinstance(hint, NewType):
            return Text
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return literal_of([str(member) for member in hint])
        return super().hint(hint)


def _try_out(cls: type, given: Mapping[str, object]) -> Mapping[str, object]:
    if not any(references_in(given)):
        _adapter_of(cls).validate_python(given)
    return given


@cache
def _adapter_of(cls: Hint) -> TypeAdapter[object]:
    return TypeAdapter(cls)


def _reference_or_value(value: object) -> str:
    return "<reference>" if has_reference(value) else "<value>"


class BoundInputs:
    """Checks inputs once their references are replaced.

    Args:
        types: The dataclass of each kind's inputs.
    """

    def __init__(self, types: Mapping[str, type]) -> None:
        self._types = types
        self._forms = InputForms(is_bound=True)
        self._made: dict[str, Form[Mapping[str, object]]] = {}

    def check(
        self, kind: str, inputs: Mapping[str, object]
    ) -> tuple[Mapping[str, object], tuple[Fault, ...]]:
        """Return *inputs* as the adapter of *kind* wants them, and what is wrong with them.

        Paths of faults begin at the inputs. With faults, the inputs come back as they were.
        """
        if kind not in self._made:
            self._made[kind] = Form(self._forms.of(self._types[kind]))
        value, faults = self._made[kind].check(Document(file=kind, value=dict(inputs)))
        return (inputs if value is None else value), faults
