"""Where a run stands: the fold of its journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.domain.checklist import ItemAnswers, ItemName
from orchestrator.domain.playbook import ChecklistName, StepName
from orchestrator.domain.run import (
    AbortRequested,
    CheckDone,
    GateRefused,
    GateWaits,
    InvariantsChecked,
    Measured,
    PriorStateChecked,
    RunCreated,
    RunEnded,
    RunHeld,
    RunId,
    StepFinished,
    UndoFinished,
    WatchFailed,
    WatchStarted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStanding:
    """What is known about one step.

    Attributes:
        attempts: How many were intended.
        result: Of the last attempt; ``None`` while it runs or after it was interrupted.
        may_retry: A person lets it be tried again.
    """

    attempts: int
    result: StepFinished | None = None
    may_retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Everything that `engine.transitions` decides from.

    Attributes:
        seq: Number of the newest entry.
        kept: Values that probes kept, by name. Data of targets.
        invariants: The newest check.
    """

    run: RunId
    seq: int = 0
    created: RunCreated | None = None
    created_at: datetime | None = None
    watch: WatchStarted | WatchFailed | None = None
    answers: Mapping[ChecklistName, Mapping[ItemName, ItemAnswers]] = field(default_factory=dict)
    waits: Mapping[ChecklistName, GateWaits] = field(default_factory=dict)
    opened: frozenset[ChecklistName] = frozenset()
    refused: GateRefused | None = None
    invariants: InvariantsChecked | None = None
    steps: Mapping[StepName, StepStanding] = field(default_factory=dict)
    undos: Mapping[StepName, UndoFinished | None] = field(default_factory=dict)
    prior_state: PriorStateChecked | None = None
    checks: tuple[CheckDone, ...] = ()
    measured: Measured | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    abort: AbortRequested | None = None
    held: RunHeld | None = None
    ended: RunEnded | None = None
