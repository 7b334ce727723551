"""A run: one execution of a plan in one mode, as its journal tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NewType

from orchestrator.domain.checklist import ItemName, PersonName, SignOff
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.plan import Mode
from orchestrator.domain.playbook import ChecklistName, PlaybookName, StepName
from orchestrator.domain.verdict import Verdict

RunId = NewType("RunId", str)


class Outcome(StrEnum):
    """What an attempt came to, decided by looking at the world."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ExitCode(IntEnum):
    """What the command line answers when a run has ended."""

    VERIFIED = 0
    INTERNAL = 1
    USAGE = 2
    REFUSED = 3
    ROLLED_BACK = 4
    HANDS_NEEDED = 5
    UNKNOWN = 6
    ABORTED = 7
    SIGN_OFF_TIMED_OUT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCreated:
    """Somebody asked for a plan to be carried out; ``resources`` are locked for it."""

    playbook: PlaybookName
    plan_digest: str
    environment: str
    mode: Mode
    requester: PersonName
    resources: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverStarted:
    """A process took the run; whatever an earlier driver had begun is to be settled."""

    pid: int
    boot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStarted:
    """The canary runs on the client host.

    Attributes:
        skew_s: Seconds to add to the client host's clock to get the controller's.
        skew_error_s: Half-width of what we know about it.
        standing: Whether a standing watch was found at work; its samples count too.
        since: The oldest of them, by the controller's clock.
    """

    skew_s: float
    skew_error_s: float
    standing: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchFailed:
    """The canary could not be started or was lost: downtime will not be known."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLookedAt:
    """A probe answered a checklist item."""

    gate: ChecklistName
    item: ItemName
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSigned:
    """A person answered or waived a checklist item."""

    gate: ChecklistName
    item: ItemName
    sign_off: SignOff


@dataclass(frozen=True, slots=True, kw_only=True)
class GateWaits:
    """Only people's answers are missing; the run waits for them until *until*."""

    gate: ChecklistName
    until: datetime
    obstacles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOpened:
    """Every item is satisfied."""

    gate: ChecklistName
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRefused:
    """The gate stays shut, for these reasons."""

    gate: ChecklistName
    obstacles: tuple[str, ...]
    timed_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantsChecked:
    """The invariants were looked at, ``before`` or ``after`` a mutating step."""

    step: StepName
    when: str
    evidence: Mapping[str, Evidence]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepIntended:
    """Durable before the first byte to a target."""

    step: StepName
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualStepAnswered:
    """A person says that they did what a manual step asks for, or that they cannot."""

    step: StepName
    attempt: int
    by: PersonName
    verdict: Verdict
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """The outcome is known, by looking; or known to be unknown.

    Attributes:
        performed: What the action itself reported; display only, never the verdict.
        evidence: What the looks said.
        output: Name of the output file beside the journal, if there was much of it.
        settled: The attempt was interrupted, and a later look settled what it came to.
    """

    step: StepName
    attempt: int
    outcome: Outcome
    performed: str
    evidence: Evidence
    output: str = ""
    settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoIntended:
    """A step is about to be taken back."""

    step: StepName


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoFinished:
    """A step was taken back, or not."""

    step: StepName
    outcome: Outcome
    performed: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorStateChecked:
    """After a roll-back: is the world as it was?"""

    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDone:
    """One part of the verification.

    Attributes:
        group: ``journey``, ``suite``, ``invariant``, ``probe``, ``objective`` or ``watch``.
        name: Unique in its group.
    """

    group: str
    name: str
    verdict: Verdict
    detail: str
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The canary's account of the whole run, as plain data (`domain.observation.Measurement`)."""

    measurement: Mapping[str, object]
    samples_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortRequested:
    """Always accepted: no new mutation starts after this.

    Attributes:
        takes_back: A held run takes back what it did; else it ends where it stands.
    """

    by: PersonName
    reason: str
    takes_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequested:
    """A person lets a held run try its failed step again."""

    by: PersonName
    step: StepName
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeld:
    """The run stops here and keeps its locks until a person decides."""

    owner: PersonName
    reason: str
    next_action: str
    exit_code: ExitCode


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """Nothing more will happen in this run; its locks are released."""

    verdict: Verdict
    exit_code: ExitCode
    summary: str
    next_action: str = ""


Event = (
    RunCreated
    | DriverStarted
    | WatchStarted
    | WatchFailed
    | ItemLookedAt
    | ItemSigned
    | GateWaits
    | GateOpened
    | GateRefused
    | InvariantsChecked
    | StepIntended
    | ManualStepAnswered
    | StepFinished
    | UndoIntended
    | UndoFinished
    | PriorStateChecked
    | CheckDone
    | Measured
    | AbortRequested
    | RetryRequested
    | RunHeld
    | RunEnded
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a journal.

    Attributes:
        seq: Counts from 1 without holes in each run.
        at: When it was written (aware UTC).
        link: Hash over the previous entry's link and this entry; the last one is the chain head.
    """

    run: RunId
    seq: int
    at: datetime
    event: Event
    link: str = field(default="")
