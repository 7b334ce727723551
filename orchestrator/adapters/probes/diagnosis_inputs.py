"""What the probe ``diagnosis`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import with_config

from orchestrator.adapters.inputs import STRICT


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisInputs:
    """Writes to a primary from several places, and what its standbys say of it.

    Attributes:
        on: The member that is or was the primary, as ``service/host``.
        from_: Hosts from which to look, through SSH; the controller always looks as well.
        standbys: Members that are asked when they last heard it.
        expect: ``gone`` passes only if all who looked saw silence and no standby contradicts.
        silent_for: A standby that heard the primary within that time contradicts.
        objective: Time within which users are to be served again, to weigh a restart in place.
        account: Which of the service's accounts writes; its entry has one of that name too.
        table: Takes the row; it has the columns run (text) and seq (a number).
    """

    on: str
    from_: tuple[str, ...]
    standbys: tuple[str, ...]
    expect: Literal["gone", "healthy"]
    silent_for: timedelta = timedelta(seconds=10)
    objective: timedelta = timedelta(0)
    account: str = "canary"
    table: str = "recover_marker"

    def __post_init__(self) -> None:
        if not self.from_:
            raise ValueError("looks from here alone: give a place that is not the controller")
        if not self.standbys:
            raise ValueError("asks no standby: give at least one")
