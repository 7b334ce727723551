"""A playbook: a named recovery procedure, as its author wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import NewType

PlaybookName = NewType("PlaybookName", str)
StepName = NewType("StepName", str)
ChecklistName = NewType("ChecklistName", str)
JourneyName = NewType("JourneyName", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something to do to the world.

    Attributes:
        kind: Which adapter performs it: ``ansible``, ``ssh``, ``sql``, ``http``, ``manual``.
        inputs: Its arguments, as plain data. The adapter owns their types. Secrets appear as
            references, never as values.
    """

    kind: str
    inputs: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A read-only look at the world, with what it expects to see.

    Attributes:
        kind: Which adapter looks: ``ssh``, ``sql``, ``http``, ``tcp``, ``canary``, …
        inputs: Its arguments and expectation, as plain data. The adapter owns their types.
    """

    kind: str
    inputs: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """How to take a step back. Must be harmless when the step had no effect."""

    action: Action
    expect: tuple[Probe, ...] = ()
    time_limit: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a step means for the safety rules and for the account of a run: one member each.

    Attributes:
        fences: Who can take no write any more.
        promotes: Who takes writes from now on.
        reprotects: Who gives the service its redundancy back.
    """

    fences: str = ""
    promotes: str = ""
    reprotects: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action on the world, the probes that tell whether it took effect, and its undo.

    Attributes:
        name: Unique within its playbook; journal and report refer to it.
        why: One sentence for the engineer who watches.
        action: What is done.
        expect: Looked at until all hold or the time limit is over. Success comes from here.
        prove: For a fence: writes that must fail, each from another place.
        undo: Taken in reverse order when a later step fails before the point of no return.
        time_limit: Of one attempt, looks included.
        changes_nothing: True if it leaves nothing behind that would have to be taken back.
        repeatable: True if performing it twice leaves the same state as once.
        if_you_stop_here: The state of the world after this step, for the one who must decide.
        if_it_fails: What a person has to do next when it fails and nothing can be undone.
        if_unproven: For a fence: the checklist whose people may let the run go on without it.
    """

    name: StepName
    why: str
    action: Action
    expect: tuple[Probe, ...]
    time_limit: timedelta
    prove: tuple[Probe, ...] = ()
    undo: Undo | None = None
    effect: Effect = field(default_factory=Effect)
    point_of_no_return: bool = False
    changes_nothing: bool = False
    repeatable: bool = False
    if_you_stop_here: str = ""
    if_it_fails: str = ""
    if_unproven: ChecklistName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateStop:
    """The place in a playbook where a checklist must be satisfied before going on."""

    gate: ChecklistName


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildPlaybook:
    """Another playbook, carried out at this place as a part of this one.

    Behind the point of no return nothing of it is taken back either.

    Attributes:
        playbook: Its name.
        given: What its parameters are bound to, by name; the rest by its own defaults.
    """

    playbook: PlaybookName
    given: Mapping[str, str] = field(default_factory=dict)


Move = Step | GateStop
"""What a run does next."""


def gates_among(moves: Iterable[Move]) -> Iterator[ChecklistName]:
    """Yield every checklist that may be asked on the way, in order."""
    for move in moves:
        gate = move.gate if isinstance(move, GateStop) else move.if_unproven
        if gate is not None:
            yield gate


class ParameterKind(StrEnum):
    """What a parameter may be bound to."""

    SERVICE = "service"
    MEMBER = "member"
    DURATION = "duration"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Something the engineer chooses, or a default chooses for them.

    Attributes:
        kind: What it may be bound to.
        engine: For a service: the engine it must have, e.g. ``postgresql``.
        member_of: For a member: the parameter that names its service.
        default: Used when nothing is given. For a service the only one of its engine is taken.
            For a member the facts name it: the ``primary`` that is heard, its ``best-standby``,
            the ``best-candidate`` without one, the ``last-primary``, or the ``strayed-member``,
            the one that neither takes writes nor streams from the one that does.
        about: One line of help.
    """

    kind: ParameterKind
    engine: str = ""
    member_of: str = ""
    default: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """What the recovery is allowed to cost. At least one of the two times is given.

    Attributes:
        downtime: All of it, from the fault on; for what begins with a step of ours.
        back_within: From the opening of the first gate to the first acknowledged write; for
            what was down before anybody asked us.
    """

    downtime: timedelta | None = None
    back_within: timedelta | None = None
    lost_writes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyTimes:
    """How often in a row a journey must pass."""

    in_a_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What must hold at the end, beyond the invariants of the environment.

    Attributes:
        journeys: Walked on the client's side of the network.
        suites: pytest + testinfra files, relative to the playbook's folder.
        probes: Named looks at the end state.
    """

    journeys: Mapping[JourneyName, JourneyTimes]
    suites: tuple[str, ...] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A named recovery procedure.

    Attributes:
        locks: Parameters whose resources are locked for the whole run.
        gate: The checklist that must be satisfied before the first step.
        steps: Steps, further gates and other playbooks, in order.
        prior_state: Looked at after a roll-back: it must be as it was.
    """

    playbook: PlaybookName
    title: str
    objectives: Objectives
    parameters: Mapping[str, Parameter]
    locks: tuple[str, ...]
    gate: ChecklistName
    steps: tuple[Move | ChildPlaybook, ...]
    verify: Verification
    prior_state: tuple[Probe, ...] = ()

    @property
    def children(self) -> tuple[ChildPlaybook, ...]:
        """Every playbook that is a part of this one, in order."""
        return tuple(move for move in self.steps if isinstance(move, ChildPlaybook))

    @property
    def gates(self) -> tuple[ChecklistName, ...]:
        """Every gate of its own, in order, the first one included, each once."""
        own = (move for move in self.steps if not isinstance(move, ChildPlaybook))
        return tuple(dict.fromkeys((self.gate, *gates_among(own))))
