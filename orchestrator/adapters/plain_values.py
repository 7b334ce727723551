"""Domain values to plain JSON and back, validated by pydantic against the domain's own types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar, cast, get_args

from pydantic import TypeAdapter, ValidationError

from orchestrator.domain.canonical import canonical_json
from orchestrator.domain.errors import JournalBroken
from orchestrator.domain.observation import Measurement
from orchestrator.domain.plan import Plan
from orchestrator.domain.run import Event

T = TypeVar("T")

_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


def plan_to_text(plan: Plan) -> bytes:
    """Return *plan* in its canonical form, the one its digest is taken of."""
    return canonical_json(plan)


def plan_from_text(text: bytes) -> Plan:
    """Read a plan back.

    Raises:
        JournalBroken: If it is not a plan.
    """
    return _decode(Plan, text)


def measurement_from(value: Mapping[str, object]) -> Measurement | None:
    """Read back what ``Measured`` holds; ``None`` if nobody was watching.

    Raises:
        JournalBroken: If it is not a measurement.
    """
    return _decode(Measurement, canonical_json(value)) if "downtime" in value else None


def event_to_text(event: Event) -> tuple[str, str]:
    """Return the kind and the canonical JSON of *event*."""
    return type(event).__name__, canonical_json(event).decode()


def event_from_text(kind: str, text: str) -> Event:
    """Read an event back.

    Raises:
        JournalBroken: If there is no such kind, or the text does not fit it.
    """
    if kind not in _KINDS:
        raise JournalBroken(f"the journal holds an event of the unknown kind {kind}")
    return _decode(_KINDS[kind], text.encode())


def _decode(kind: type[T], text: bytes) -> T:
    try:
        return _adapter(kind).validate_python(json.loads(text))
    except (ValidationError, ValueError) as error:
        raise JournalBroken(f"a stored {kind.__name__} cannot be read: {error}") from error


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    """Build the adapter of *kind* once: that is what costs time."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return cast("TypeAdapter[T]", _ADAPTERS[kind])


_ADAPTERS: dict[type, object] = {}
