"""The role that every kind of fence plays, and what is seen of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from orchestrator.adapters.deadline import Deadline
from orchestrator.engine.ports import ActionReport


class FenceState(StrEnum):
    """Whether a fence keeps its member from taking writes; ``UNKNOWN`` is neither."""

    CLOSED = "closed"
    OPEN = "open"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look at one fence.

    Attributes:
        detail: What was seen, or why nothing was, in a few words.
    """

    state: FenceState
    detail: str


class Fencer(Protocol):
    """Operates fences of one kind. What goes wrong is returned, never raised.

    Every call ends at its deadline, whatever the fence does. What `close` and `open` report is
    only a claim: look afterwards.
    """

    def close(
        self, member: str, inputs: Mapping[str, object], *, deadline: Deadline
    ) -> ActionReport:
        """Close the fence of *member*; closing it twice is as closing it once."""
        ...

    def open(
        self, member: str, inputs: Mapping[str, object], *, deadline: Deadline
    ) -> ActionReport:
        """Open it again; the member may then take writes."""
        ...

    def look(self, member: str, inputs: Mapping[str, object], *, deadline: Deadline) -> Sight:
        """See whether it is closed, changing nothing."""
        ...
