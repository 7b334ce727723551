"""What a run can do next: the answers of `engine.transitions.next_move`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.checklist import ChecklistItem
from orchestrator.domain.playbook import ChecklistName, Step, Undo
from orchestrator.domain.run import ExitCode, GateOpened, GateRefused, GateWaits


@dataclass(frozen=True, slots=True)
class StartWatch:
    """Let the canary begin, before anything else happens."""


@dataclass(frozen=True, slots=True)
class LookAtItems:
    """Let the probes answer these items."""

    gate: ChecklistName
    items: tuple[ChecklistItem, ...]


@dataclass(frozen=True, slots=True)
class NoteGate:
    """Write down what became of a gate."""

    event: GateOpened | GateRefused | GateWaits


@dataclass(frozen=True, slots=True)
class WaitForPeople:
    """Nothing to do until somebody signs, or the time is over."""

    until: datetime


@dataclass(frozen=True, slots=True)
class StartStep:
    """Do a step for the first time, or again where that is allowed."""

    step: Step
    attempt: int


@dataclass(frozen=True, slots=True)
class SettleStep:
    """An attempt was interrupted: find out what it did, changing nothing."""

    step: Step
    attempt: int


@dataclass(frozen=True, slots=True)
class UndoStep:
    """Take a step back; if that was begun before, only if a look says that it has no effect."""

    step: Step
    undo: Undo
    was_begun: bool


@dataclass(frozen=True, slots=True)
class CheckPriorState:
    """After a roll-back: look whether the world is as it was."""


@dataclass(frozen=True, slots=True)
class Verify:
    """Walk journeys, run suites, count writes, compare objectives."""


@dataclass(frozen=True, slots=True)
class Measure:
    """The run ends early: still account for what users saw."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop here, keep the locks, say what a person has to do next."""

    reason: str
    next_action: str
    exit_code: ExitCode


@dataclass(frozen=True, slots=True)
class End:
    """Write the verdict and release the locks."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The run has ended or is held: this driver has nothing more to do."""


Deed = (
    StartWatch
    | LookAtItems
    | NoteGate
    | WaitForPeople
    | StartStep
    | SettleStep
    | UndoStep
    | CheckPriorState
    | Verify
    | Measure
    | Hold
    | End
)
"""What a driver has to carry out."""

Decision = Deed | Rest
