"""Stage 1 of 6, plan: bind playbook, parameters and environment, and freeze them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.domain.checklist import Checklist
from orchestrator.domain.environment import Environment
from orchestrator.domain.plan import BoundChild, Facts, Plan
from orchestrator.domain.playbook import (
    ChecklistName,
    JourneyName,
    JourneyTimes,
    ParameterKind,
    Playbook,
    PlaybookName,
    Probe,
    Verification,
)
from orchestrator.domain.reference import references_in
from orchestrator.engine.choosing import refuse_other_roles
from orchestrator.engine.composing import Chain, Composition, Part, compose
from orchestrator.engine.resolving import Complaints, Locate, Resolver
from orchestrator.engine.scoping import bind_parameters, scope_of
from orchestrator.engine.tracing import GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Content as its authors wrote it, with the positions of its parts.

    Attributes:
        closure: SHA-256 of every file the plan depends on, by path.
        locate: From the name of a document (``playbook``, ``playbook CHILD``, ``checklist NAME``,
            ``invariants``, ``services``, ``journey NAME``) and a path inside it to a place in a
            file.
        playbooks: Those that there are, for the children.
    """

    playbook: Playbook
    checklists: Mapping[ChecklistName, Checklist]
    environment: Environment
    closure: Mapping[str, str]
    locate: Locate
    playbooks: Mapping[PlaybookName, Playbook] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _BoundPart:
    """A playbook in its place, with what its references are bound to."""

    part: Part
    parameters: Mapping[str, str]
    resolver: Resolver

    @property
    def playbook(self) -> Playbook:
        return self.part.playbook


Bound = Mapping[Chain, _BoundPart]


def make_plan(written: Written, given: Mapping[str, str], facts: Facts) -> Plan:
    """Bind everything and return the frozen plan. The same input gives the same digest.

    Args:
        written: The content.
        given: Parameters as the engineer gave them, by name.
        facts: What was looked up for this plan.

    Raises:
        RequestRefused: If the parameters do not fit the environment as it is now.
        ContentInvalid: With every reference that names nothing.
    """
    composition = compose(written.playbook, written.playbooks)
    complaints = Complaints(written.locate)
    bound = _bind_parts(composition, written, given, facts, complaints)
    playbook, whole = written.playbook, bound[()]
    plan = Plan(
        playbook=playbook.playbook,
        title=playbook.title,
        objectives=playbook.objectives,
        parameters=whole.parameters,
        defaults=_plain_defaults(playbook),
        resources=tuple(sorted(_resources(bound.values()))),
        gate=playbook.gate,
        checklists=_checklists(bound.values(), written.checklists),
        steps=tuple(
            bound[placed.part.chain].resolver.move(placed.move, placed.path)
            for placed in composition.moves
        ),
        prior_state=_prior_state(bound.values()),
        verify=_verification(bound.values()),
        invariants=tuple(whole.resolver.invariants(written.environment)),
        environment=written.environment,
        facts=facts,
        closure=written.closure,
        fences=whole.resolver.fences(written.environment),
        children=_children(bound.values()),
    )
    complaints.raise_all()
    return plan


def _bind_parts(
    composition: Composition,
    written: Written,
    given: Mapping[str, str],
    facts: Facts,
    complaints: Complaints,
) -> Bound:
    bound: dict[Chain, _BoundPart] = {}
    environment = written.environment
    for part in composition.parts:
        wanted = _given_to(part, bound[part.chain[:-1]], complaints) if part.chain else given
        parameters = bind_parameters(part.playbook, environment, wanted, facts)
        if not part.chain:
            refuse_other_roles(part.playbook, environment, parameters, facts)
        scope = scope_of(part.playbook, environment, parameters, facts)
        resolver = Resolver(part.document, scope, complaints)
        bound[part.chain] = _BoundPart(part=part, parameters=parameters, resolver=resolver)
    return bound


def _given_to(part: Part, parent: _BoundPart, complaints: Complaints) -> Mapping[str, str]:
    """Return the parameters that *parent* gives to a child, as an engineer would give them."""
    given = part.included.given if part.included else {}
    wanted = {
        name: _given_value(text, parent, (*part.path, GIVEN, name)) for name, text in given.items()
    }
    complaints.raise_all()
    return wanted


def _given_value(text: str, parent: _BoundPart, path: tuple[str | int, ...]) -> str:
    """Bind *text*; a parameter is handed down as it was given, with its unit."""
    names = [reference.name for reference in references_in(text) if reference.is_whole]
    handed_down = next((parent.parameters[n] for n in names if n in parent.parameters), None)
    return parent.resolver.text(text, path) if handed_down is None else handed_down


def _plain_defaults(playbook: Playbook) -> Mapping[str, str]:
    """Return the defaults whose change is a deviation: not which service, nor which member."""
    looked_up = {ParameterKind.SERVICE, ParameterKind.MEMBER}
    return {
        name: parameter.default
        for name, parameter in playbook.parameters.items()
        if parameter.kind not in looked_up and parameter.default
    }


def _resources(bound: Iterable[_BoundPart]) -> set[str]:
    return {one.parameters[name] for one in bound for name in one.playbook.locks}


def _checklists(
    bound: Iterable[_BoundPart], checklists: Mapping[ChecklistName, Checklist]
) -> Mapping[ChecklistName, Checklist]:
    """Return the checklist of every gate; a child's is its own, bound to its own parameters."""
    resolved = {
        ChecklistName(one.part.named(gate)): one.resolver.checklist(checklists[gate])
        for one in bound
        for gate in one.playbook.gates
    }
    return {name: replace(checklist, checklist=name) for name, checklist in resolved.items()}


def _prior_state(bound: Iterable[_BoundPart]) -> tuple[Probe, ...]:
    """Return what must hold after a roll-back, which no child behind its end can change."""
    return tuple(
        probe
        for one in bound
        if not one.part.is_final
        for probe in one.resolver.probes(one.playbook.prior_state, ("prior_state",))
    )


def _verification(bound: Iterable[_BoundPart]) -> Verification:
    """Put together what must hold at the end; a journey is walked as often as most want it."""
    journeys: dict[JourneyName, JourneyTimes] = {}
    suites: list[str] = []
    probes: dict[str, Probe] = {}
    for one in bound:
        verify, named = one.playbook.verify, one.part.named
        for name, times in verify.journeys.items():
            journeys[name] = max(journeys.get(name, times), times, key=lambda t: t.in_a_row)
        suites += [named(suite) for suite in verify.suites]
        resolved = one.resolver.named_probes(verify.probes, ("verify", "probes"))
        probes |= {named(name): probe for name, probe in resolved.items()}
    return Verification(journeys=journeys, suites=tuple(suites), probes=probes)


def _children(bound: Iterable[_BoundPart]) -> Mapping[str, BoundChild]:
    return {
        "/".join(one.part.chain): BoundChild(
            playbook=one.playbook.playbook, title=one.playbook.title, parameters=one.parameters
        )
        for one in bound
        if one.part.chain
    }
