"""What can go wrong between us and a target, told apart, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.errors import OrchestratorError


class TroubleKind(StrEnum):
    """How a target did not give what was asked for.

    ``REFUSED``: its machine answered that nothing listens there. ``UNREACHABLE``: nobody answered
    the connect. ``REJECTED``: it answered and would not have us (host key, credentials, limits).
    ``HUNG``: it took the connection and then said nothing in time. ``LOST``: the connection broke.
    ``READ_ONLY``: it is up and takes no writes. ``ERROR``: it understood and said no.
    """

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    REJECTED = "rejected"
    HUNG = "hung"
    LOST = "lost"
    READ_ONLY = "read-only"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why there is no answer.

    Attributes:
        detail: One line for a person, without the kind.
        was_sent: True if the request may have reached the target, so that its effect is open.
        code: The target's own code for it, if it gave one, e.g. an SQLSTATE.
    """

    kind: TroubleKind
    detail: str
    was_sent: bool = False
    code: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"


class Troubled(OrchestratorError):
    """Carries a `Trouble` up to the session that turns it into a value; never leaves one."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(str(trouble))


def first_line(text: object) -> str:
    """Return the first line of a foreign message, short enough for a summary."""
    lines = str(text).strip().splitlines()
    return lines[0].strip()[:300] if lines else type(text).__name__
