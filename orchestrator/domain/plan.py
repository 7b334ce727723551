"""A plan: playbook, parameters and environment, bound, frozen and digested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from orchestrator.domain.canonical import digest_of
from orchestrator.domain.checklist import Checklist
from orchestrator.domain.environment import Environment, Fence, ServiceName
from orchestrator.domain.playbook import (
    ChecklistName,
    Move,
    Objectives,
    PlaybookName,
    Probe,
    Step,
    StepName,
    Verification,
    gates_among,
)


class Mode(StrEnum):
    """How a plan is carried out."""

    PREFLIGHT = "preflight"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which member of a service is what, as seen when the plan was made.

    Attributes:
        primary: The one member that takes writes; empty if none or several were seen.
        standbys: Members fit to take over from a primary that is heard, the best first.
        reasons: What was seen of each member that is neither.
        last_primary: The primary, or else the one that every standby that answers says it
            followed; empty if several take writes or the standbys do not agree.
        candidates: Standbys fit to be promoted without a primary, the best first.
        strayed: Members that neither take writes nor stream from the primary, if there is one.
    """

    primary: str
    standbys: tuple[str, ...]
    reasons: Mapping[str, str]
    last_primary: str = ""
    candidates: tuple[str, ...] = ()
    strayed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was looked up when the plan was made. Part of what is digested."""

    roles: Mapping[ServiceName, Roles]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundInvariant:
    """An invariant with the look for each member of its service."""

    invariant: str
    why: str
    probes: Mapping[str, Probe]
    at_most: int | None = None
    at_least: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundChild:
    """A playbook that is a part of another one's plan.

    Attributes:
        parameters: As bound where it stands.
    """

    playbook: PlaybookName
    title: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will really be done. Immutable; the run executes this and nothing else.

    Attributes:
        parameters: As bound, in the author's order.
        defaults: What the playbook would have chosen; a difference is a deviation.
        resources: What is locked for the whole run, sorted.
        gate: Checklist of the first gate.
        checklists: Every gate's checklist, its probes bound.
        closure: SHA-256 of every file the plan depends on, by path below the content folder.
        fences: By member, ``service/host``, in the order in which they are tried.
        children: Playbooks that are parts of this plan, by what the names of their steps, gates,
            suites and probes begin with: ``CHILD``, or ``CHILD/CHILD`` one deeper.
    """

    playbook: PlaybookName
    title: str
    objectives: Objectives
    parameters: Mapping[str, str]
    defaults: Mapping[str, str]
    resources: tuple[str, ...]
    gate: ChecklistName
    checklists: Mapping[ChecklistName, Checklist]
    steps: tuple[Move, ...]
    prior_state: tuple[Probe, ...]
    verify: Verification
    invariants: tuple[BoundInvariant, ...]
    environment: Environment
    facts: Facts
    closure: Mapping[str, str]
    fences: Mapping[str, tuple[Fence, ...]] = field(default_factory=dict)
    children: Mapping[str, BoundChild] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The identity of this plan; sign-offs, journal and report carry it."""
        return digest_of(self)

    @property
    def actions(self) -> Iterator[Step]:
        """Every step, in order, without the gates between."""
        return (move for move in self.steps if isinstance(move, Step))

    @property
    def gates(self) -> tuple[ChecklistName, ...]:
        """Every gate, in order, the first one included."""
        return (self.gate, *gates_among(self.steps))

    @property
    def fence_gates(self) -> frozenset[ChecklistName]:
        """Those that are asked only if a fence is not proved."""
        return frozenset(step.if_unproven for step in self.actions if step.if_unproven)

    def child_of(self, name: str) -> str:
        """Return which child a step, gate, suite or probe belongs to; empty for the plan's own."""
        nested = (child for child in self.children if name.startswith(f"{child}/"))
        return max(nested, key=len, default="")

    def as_seen_by(self, child: str) -> Plan:
        """Return the plan with playbook, title and parameters of one of its children."""
        if not child:
            return self
        bound = self.children[child]
        return replace(
            self, playbook=bound.playbook, title=bound.title, parameters=bound.parameters
        )

    def step(self, name: StepName) -> Step:
        """Return the step of that name."""
        return next(step for step in self.actions if step.name == name)
