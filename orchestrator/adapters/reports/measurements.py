"""Reads the canary's account back from a journal, where it lies as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from pydantic import TypeAdapter, ValidationError

from orchestrator.domain.observation import Measurement
from orchestrator.domain.run import Entry, Measured


def measurement_in(entries: Sequence[Entry]) -> Measurement | None:
    """Return the newest account in *entries*; ``None`` if there is none that tells everything."""
    accounts = [entry.event for entry in entries if isinstance(entry.event, Measured)]
    if not accounts:
        return None
    try:
        return _adapter().validate_python(accounts[-1].measurement)
    except ValidationError:
        # The canary was lost: the journal says why instead of giving numbers.
        return None


@cache
def _adapter() -> TypeAdapter[Measurement]:
    return TypeAdapter(Measurement)
