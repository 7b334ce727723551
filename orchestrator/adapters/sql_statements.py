"""What is said over SQL, to whom, and what comes back; without any connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.expectation import Scalar

Row = Mapping[str, object]
Bindable = Scalar | list[Scalar]
"""What can be bound to a parameter; a list becomes an array."""


def show_row(row: Row) -> str:
    """Return *row* for a person."""
    return " ".join(f"{column}={value}" for column, value in row.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Whom we talk to, and as whom.

    Attributes:
        member: ``service/host``.
        database: Empty for the service's own.
        account: Which of the service's accounts.
        is_read_only: The session refuses writes, whatever the account may do.
    """

    member: str
    account: str
    database: str = ""
    is_read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a statement gave.

    Attributes:
        rows: Of its last result, by column.
        status: The server's word for what it did, e.g. ``SELECT 1`` or ``PAUSE``.
    """

    rows: tuple[Row, ...]
    status: str
