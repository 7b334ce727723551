"""What a report says of a run, in any format. A number that is not known is ``None``, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.checklist import PersonName
from orchestrator.domain.environment import EnvironmentKind, EnvironmentName
from orchestrator.domain.plan import Mode
from orchestrator.domain.playbook import PlaybookName
from orchestrator.domain.record import (
    Deviation,
    ErrorRecord,
    GateRecord,
    InvariantRecord,
    Look,
    OutageRecord,
    StepRecord,
    VerificationRecord,
)
from orchestrator.domain.run import ExitCode, RunId
from orchestrator.domain.strip import Strip
from orchestrator.domain.verdict import Verdict


class Standing(StrEnum):
    """Whether a run is still under way, and who has to move next."""

    GOING = "going"
    WAITING = "waiting"
    HELD = "held"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveFigures:
    """What the recovery was allowed to cost, and whether it kept to that.

    Attributes:
        downtime_s: From the fault on; nothing if the playbook does not promise it.
        back_within_s: From the opening of the gate; likewise.
    """

    downtime_s: float | None
    back_within_s: float | None
    lost_writes: int
    downtime_verdict: Verdict
    back_within_verdict: Verdict
    lost_writes_verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DowntimeFigures:
    """How long users were without service; the truth lies between the bounds.

    Attributes:
        before_run_s: How long before somebody asked for the run the outage began; nothing if it
            began later, or its beginning was not seen.
        back_after_s: From the opening of the first gate to the first acknowledged write.
    """

    at_least_s: float | None = None
    at_most_s: float | None = None
    longest_gap_ms: float | None = None
    longest_gap_from: datetime | None = None
    typical_gap_ms: float | None = None
    before_run_s: float | None = None
    back_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFigures:
    """Numbered marker writes, by what became of them.

    Attributes:
        lost: Acknowledged and not found in the database.
        unknown: The client never learnt what became of them.
        duplicate: Found more than once.
        contradicted: Found although they had certainly failed, or were never sent.
    """

    acknowledged: int | None = None
    lost: int | None = None
    unknown: int | None = None
    duplicate: int | None = None
    failed: int | None = None
    contradicted: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StallFigures:
    """How long acknowledged marker writes waited for their answer."""

    p50_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprotected:
    """Time without redundancy: at most so long with a member less.

    Attributes:
        since: When *counted_from* was.
        until: When redundancy was back; nothing while it is not.
    """

    since: datetime
    until: datetime | None
    at_most_s: float | None
    counted_from: str = "the fence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The milestones of a run.

    Attributes:
        traffic_lost: When the longest outage began.
        traffic_back: When that one ended, if the service was seen up at last.
    """

    created: datetime | None = None
    gate_opened: datetime | None = None
    first_action: datetime | None = None
    traffic_lost: datetime | None = None
    traffic_back: datetime | None = None
    verified: datetime | None = None
    ended: datetime | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run, told to people and to machines.

    Attributes:
        headline: The verdict in two or three words for people, behind each risk they accepted.
        accepted_risks: Fences that were not proved, and who went on without them.
        summary: What was done and what came of it.
        owner: Who has to move next, if the run waits for a person.
        prior_state: After a roll-back: whether the world is as it was.
        not_verified: What nobody has looked at, or could not see, in words.
        closure: SHA-256 of every file the plan depends on.
        chain_head: Hash over the whole journal; a cut journal has another one.
    """

    run: RunId
    playbook: PlaybookName
    title: str
    plan_digest: str
    environment: EnvironmentName
    environment_title: str
    environment_kind: EnvironmentKind
    mode: Mode | None
    requester: PersonName
    reason: str
    parameters: Mapping[str, str]
    standing: Standing
    verdict: Verdict
    exit_code: ExitCode | None
    headline: str
    accepted_risks: tuple[str, ...]
    summary: str
    next_action: str
    owner: PersonName
    objectives: ObjectiveFigures
    downtime: DowntimeFigures
    writes: WriteFigures
    stalls: StallFigures
    steps: tuple[StepRecord, ...]
    gates: tuple[GateRecord, ...]
    verification: VerificationRecord
    invariants: tuple[InvariantRecord, ...]
    prior_state: Look | None
    deviations: tuple[Deviation, ...]
    not_verified: tuple[str, ...]
    outages: tuple[OutageRecord, ...]
    errors: tuple[ErrorRecord, ...]
    unprotected: Unprotected | None
    times: Times
    closure: Mapping[str, str]
    entries: int
    chain_head: str
    strips: tuple[Strip, ...]
