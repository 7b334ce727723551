"""What a report says of each step, gate, check and outage. Unknown numbers are ``None``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.checklist import ItemName, Level, PersonName
from orchestrator.domain.playbook import ChecklistName, StepName
from orchestrator.domain.run import Outcome
from orchestrator.domain.verdict import Verdict


class Progress(StrEnum):
    """How far a step has come."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class GateProgress(StrEnum):
    """How far a gate has come."""

    PENDING = "pending"
    CHECKING = "checking"
    WAITING = "waiting"
    OPENED = "opened"
    REFUSED = "refused"


class DeviationKind(StrEnum):
    """Ways in which a run can differ from the playbook as rehearsed."""

    PARAMETER = "parameter"
    WAIVER = "waiver"
    DEGRADED = "degraded"
    RETRY = "retry"
    UNDO = "undo"
    HOLD = "hold"
    ABORT = "abort"
    RESUMED = "resumed"
    BLIND = "blind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One piece of evidence, as it was judged."""

    verdict: Verdict
    summary: str
    at: datetime
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One try at a step; without an end it was interrupted or is at work."""

    number: int
    started: datetime
    ended: datetime | None = None
    outcome: Outcome | None = None
    performed: str = ""
    evidence: Look | None = None
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRecord:
    """A step that was taken back, or was tried to be."""

    started: datetime
    ended: datetime | None = None
    outcome: Outcome | None = None
    evidence: Look | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step: first what was planned, then what happened.

    Attributes:
        action: What is done, in one line.
        effect: Whom it fences, promotes or protects again, in words.
        irreversible: It is the point of no return.
        duration_s: Of all attempts together, from the first to the last.
        downtime_s: Time without service that is charged to it.
        part: Title of the included playbook that it belongs to; empty for the run's own.
    """

    name: StepName
    why: str
    kind: str
    action: str
    hosts: tuple[str, ...]
    effect: str
    irreversible: bool
    time_limit_s: float
    if_you_stop_here: str
    outcome: Progress
    started: datetime | None = None
    ended: datetime | None = None
    duration_s: float | None = None
    evidence: Look | None = None
    attempts: tuple[AttemptRecord, ...] = ()
    undone: UndoRecord | None = None
    downtime_s: float | None = None
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What one person said to one item.

    Attributes:
        name: Of the person, as the environment tells it.
        shown: Digest of what was before their eyes.
    """

    by: PersonName
    name: str
    at: datetime
    verdict: Verdict
    comment: str
    is_waiver: bool
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRecord:
    """One question of a gate, and its answer when the gate was decided.

    Attributes:
        answered_by: ``probe``, or the role whose people may sign.
        answer: Why the verdict is what it is, in one line.
    """

    item: ItemName
    ask: str
    why: str
    level: Level
    answered_by: str
    verdict: Verdict
    answer: str
    evidence: Look | None = None
    signatures: tuple[Signature, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRecord:
    """One gate with all its items.

    Attributes:
        reached: When its first item was looked at or signed.
        decided: When it opened or was refused.
    """

    gate: ChecklistName
    title: str
    progress: GateProgress
    verdict: Verdict
    items: tuple[ItemRecord, ...]
    obstacles: tuple[str, ...] = ()
    reached: datetime | None = None
    decided: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """One part of the verification."""

    group: str
    name: str
    verdict: Verdict
    detail: str
    duration_s: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRecord:
    """All checks of the end state; without any it is inconclusive."""

    verdict: Verdict
    checks: tuple[CheckRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantRecord:
    """One invariant: how often it was looked at around steps, and what did not hold."""

    invariant: str
    why: str
    verdict: Verdict
    looks: int
    exceptions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """Something that was not as rehearsed; *at* is unknown for what the plan fixed before."""

    kind: DeviationKind
    what: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageRecord:
    """A stretch without service, and the steps it is charged to, in seconds."""

    started: datetime
    ended: datetime
    duration_s: float
    charged_s: Mapping[str, float]
    between_steps_s: float
    before_steps_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRecord:
    """One kind of error that users saw."""

    watcher: str
    error: str
    count: int
    first: datetime
