"""What the probes ``sql`` and ``sql_write`` take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import with_config

from orchestrator.adapters.inputs import STRICT
from orchestrator.adapters.sql_statements import Bindable
from orchestrator.domain.expectation import Expectation, Scalar


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SqlProbeInputs:
    """A query, and what is expected of its rows on each member.

    Attributes:
        on: A member as ``service/host``, or several, which are looked at side by side.
        query: Must change nothing; the session refuses writes.
        values: Bound as ``%(name)s``; a literal percent sign is then written twice.
        database: Another than the service's own.
        account: Which of the service's accounts.
        where: Column values that choose the row, where the query itself cannot.
        row: What the first row (that was chosen) must be, by column.
        rows: How many rows (that were chosen) there must be.
        same: Columns that must be equal on all members.
        not_below_first: Columns whose number is on no member below that of the first one.
        not_above_first: Columns whose number is on no member above that of the first one.
        exactly: So many members must meet ``row`` and ``rows``, instead of all.
        keep: Names for values of the row, to be used later: name to column.
    """

    on: str | tuple[str, ...]
    query: str
    values: Mapping[str, Bindable] = field(default_factory=dict)
    database: str = ""
    account: str = "reader"
    where: Mapping[str, Scalar] = field(default_factory=dict)
    row: Mapping[str, Expectation] = field(default_factory=dict)
    rows: Expectation = None
    same: tuple[str, ...] = ()
    not_below_first: tuple[str, ...] = ()
    not_above_first: tuple[str, ...] = ()
    exactly: int | None = None
    keep: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rows is None and not self.columns:
            raise ValueError("expects nothing: give rows, or something of columns, as row or keep")
        if not self.members:
            raise ValueError("looks at nobody: give at least one member")

    @property
    def members(self) -> tuple[str, ...]:
        """Every member to look at."""
        return (self.on,) if isinstance(self.on, str) else self.on

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is asked about, once."""
        compared = (*self.same, *self.not_below_first, *self.not_above_first)
        return tuple(dict.fromkeys((*self.row, *compared, *self.keep.values())))


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SqlWriteProbeInputs:
    """A write that is rolled back at once.

    Attributes:
        on: A member, as ``service/host``.
        expect: ``refused`` passes only if nothing listens there or the member is a standby.
        via: A host from which to connect, through SSH; empty for the controller itself.
        database: Another than the service's own.
        account: Which of the service's accounts.
        table: Takes the row; it has the columns run (text) and seq (a number).
    """

    on: str
    expect: Literal["refused", "accepted"]
    via: str = ""
    database: str = ""
    account: str = "operator"
    table: str = "recover_marker"
