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
    GateOpened,
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
        result: Of the last attempt; ``None`` while it runs, or while it is to be settled.
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
        asked: When each gate was first looked at by this driver.
        opened: Gates that are behind the run.
        unspent: Those of them behind which no step was begun yet.
        turned_back: Something was taken back; from there on the run never goes forward.
        kept: Values that probes kept, by name. Data of targets.
        invariants: The newest check.
        abandoned: Why the run was held when somebody aborted it there: it ends where it stands.
    """

    run: RunId
    seq: int = 0
    created: RunCreated | None = None
    created_at: datetime | None = None
    watch: WatchStarted | WatchFailed | None = None
    answers: Mapping[ChecklistName, Mapping[ItemName, ItemAnswers]] = field(default_factory=dict)
    asked: Mapping[ChecklistName, datetime] = field(default_factory=dict)
    waits: Mapping[ChecklistName, GateWaits] = field(default_factory=dict)
    opened: Mapping[ChecklistName, GateOpened] = field(default_factory=dict)
    unspent: frozenset[ChecklistName] = frozenset()
    refused: GateRefused | None = None
    invariants: InvariantsChecked | None = None
    steps: Mapping[StepName, StepStanding] = field(default_factory=dict)
    undos: Mapping[StepName, UndoFinished | None] = field(default_factory=dict)
    turned_back: bool = False
    prior_state: PriorStateChecked | None = None
    checks: tuple[CheckDone, ...] = ()
    measured: Measured | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    abort: AbortRequested | None = None
    held: RunHeld | None = None
    abandoned: RunHeld | None = None
    ended: RunEnded | None = None
