"""Mode lint: follow each reference from where it is written to what it names. Pure.

What a target said (``${kept...}``) is data: it is bound as a value, and never becomes a part of a
command or a query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields

from orchestrator.domain.checklist import Checklist
from orchestrator.domain.playbook import (
    Action,
    ChecklistName,
    ChildPlaybook,
    Effect,
    GateStop,
    Parameter,
    ParameterKind,
    Playbook,
    Probe,
    Step,
)
from orchestrator.domain.problem import Fault, Path
from orchestrator.domain.reference import Reference, references_in

GIVEN = "with"
"""Where a playbook says what the parameters of a child are bound to."""
KEPT = "kept"
ENVIRONMENT_ROOTS = frozenset({"services", "hosts"})
VALUE_INPUTS = frozenset({("sql", "values"), ("http", "json")})
"""Where what a target said may stand: kind and input that carry values apart from the text."""


ONE_MEMBER = frozenset({"primary", "last_primary", "only"})
"""Attributes of a service that are one member of it."""
_NO_PARAMETER = Parameter(kind=ParameterKind.TEXT)


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault in one of the documents that a playbook is made of.

    Attributes:
        document: ``playbook`` or ``checklist NAME``.
    """

    document: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class _Use:
    """Something with inputs, and what has been kept when its turn comes."""

    document: str
    path: Path
    kind: str
    inputs: Mapping[str, object]
    kept: Set[str]


def trace(
    playbook: Playbook, checklists: Mapping[ChecklistName, Checklist]
) -> tuple[Finding, ...]:
    """Return every reference that names nothing, and every parameter that nothing refers to.

    The latter only if all checklists are there: one that is missing may be what refers to it.
    """
    uses = list(_uses(playbook, checklists))
    faulty = [finding for use in uses for finding in _lint_use(use, playbook)]
    effects = [Finding("playbook", fault) for fault in _lint_effects(playbook)]
    if any(gate not in checklists for gate in playbook.gates):
        return (*faulty, *effects)
    unused = [Finding("playbook", fault) for fault in _lint_unused(playbook, uses)]
    return (*faulty, *effects, *unused)


def kept_names(
    playbook: Playbook, checklists: Mapping[ChecklistName, Checklist]
) -> frozenset[str]:
    """Return the names of everything that the probes of *playbook* keep."""
    return frozenset(name for use in _uses(playbook, checklists) for name in _kept_in(use.inputs))


def _uses(playbook: Playbook, checklists: Mapping[ChecklistName, Checklist]) -> Iterator[_Use]:
    """Yield every action and probe in the order of the run."""
    kept: set[str] = set()
    yield from _uses_of_gate(playbook.gate, checklists, kept)
    for index, move in enumerate(playbook.steps):
        path: Path = ("steps", index)
        if isinstance(move, GateStop):
            yield from _uses_of_gate(move.gate, checklists, kept)
        elif isinstance(move, ChildPlaybook):
            yield _Use("playbook", (*path, GIVEN), GIVEN, move.given, frozenset(kept))
        else:
            yield from _uses_of_step(move, path, kept)
    yield from _uses_of_probes(playbook.prior_state, ("prior_state",), kept)
    for name, probe in playbook.verify.probes.items():
        yield _use("playbook", ("verify", "probes", name), probe, kept)


def _uses_of_gate(
    gate: ChecklistName, checklists: Mapping[ChecklistName, Checklist], kept: set[str]
) -> Iterator[_Use]:
    items = checklists[gate].items if gate in checklists else ()
    probes = [(index, item.probe) for index, item in enumerate(items) if item.probe]
    for index, probe in probes:
        yield _use(f"checklist {gate}", ("items", index), probe, kept)
    for _, probe in probes:
        kept |= _kept_in(probe.inputs)


def _uses_of_step(step: Step, path: Path, kept: set[str]) -> Iterator[_Use]:
    yield _use("playbook", path, step.action, kept)
    yield from _uses_of_probes(step.expect, (*path, "expect"), kept)
    yield from _uses_of_probes(step.prove, (*path, "prove"), kept)
    for probe in (*step.expect, *step.prove):
        kept |= _kept_in(probe.inputs)
    if step.undo:
        yield _use("playbook", (*path, "undo"), step.undo.action, kept)
        yield from _uses_of_probes(step.undo.expect, (*path, "undo", "expect"), kept)


def _uses_of_probes(probes: Sequence[Probe], path: Path, kept: Set[str]) -> Iterator[_Use]:
    for index, probe in enumerate(probes):
        yield _use("playbook", (*path, index), probe, kept)


def _use(document: str, path: Path, what: Action | Probe, kept: Set[str]) -> _Use:
    return _Use(document, (*path, what.kind), what.kind, what.inputs, frozenset(kept))


def _kept_in(inputs: Mapping[str, object]) -> set[str]:
    keep = inputs.get("keep", {})
    return set(keep) if isinstance(keep, Mapping) else set()


def _lint_use(use: _Use, playbook: Playbook) -> Iterator[Finding]:
    for reference in references_in(use.inputs):
        path = (*use.path, *reference.path)
        if reference.root == KEPT:
            faults = _lint_kept(reference, use, path)
        else:
            faults = _lint_root(reference.name, path, playbook)
        yield from (Finding(use.document, fault) for fault in faults)


def _lint_root(name: str, path: Path, playbook: Playbook) -> Iterator[Fault]:
    known = playbook.parameters.keys() | ENVIRONMENT_ROOTS
    if name.partition(".")[0] not in known:
        yield Fault(
            path,
            f"`${{{name}}}` names nothing",
            f"`{playbook.playbook}` has no parameter of that name",
            f"refer to one of: {', '.join(sorted(known))}",
        )


def _lint_kept(reference: Reference, use: _Use, path: Path) -> Iterator[Fault]:
    if reference.attribute not in use.kept:
        yield Fault(
            path,
            f"`${{{reference.name}}}` is not kept by any probe before",
            "it would be empty here",
            f"add `keep: {{{reference.attribute}: ...}}` to an earlier probe",
        )
    if (use.kind, *reference.path[:1]) not in VALUE_INPUTS or not reference.is_whole:
        yield Fault(
            path,
            f"`${{{reference.name}}}` cannot stand here",
            "what a target said is data, and must not become part of a command or query",
            "bind it alone in `values:` of sql or `json:` of http",
        )


def _effects(playbook: Playbook) -> Iterator[tuple[Path, str]]:
    """Yield what each step means for the safety rules and the account, as far as it does."""
    for index, move in enumerate(playbook.steps):
        if isinstance(move, Step):
            for word in fields(Effect):
                yield ("steps", index, "effect", word.name), getattr(move.effect, word.name)


def _lint_effects(playbook: Playbook) -> Iterator[Fault]:
    for path, name in _effects(playbook):
        yield from _lint_effect(name, path, playbook)


def _lint_effect(name: str, path: Path, playbook: Playbook) -> Iterator[Fault]:
    references = list(references_in(name))
    if name and not references:
        yield Fault(
            path,
            f"`{name}` is plain text",
            "the safety rules must know which member is meant",
            f"refer to it: `${{{name}}}`",
        )
    for reference in references:
        faults = tuple(_lint_root(reference.name, path, playbook))
        yield from faults
        if not faults and not (reference.is_whole and _is_member(reference, playbook)):
            yield Fault(
                path,
                f"`{name}` is not one member",
                "what a step does to a member must name that member, and no other",
                "refer to a parameter of kind member, or to the `primary` of a service",
            )


def _is_member(reference: Reference, playbook: Playbook) -> bool:
    """Return whether *reference* can only be bound to one member of a service."""
    parameter = playbook.parameters.get(reference.root, _NO_PARAMETER)
    if parameter.kind is ParameterKind.MEMBER:
        return not reference.attribute
    return reference.name.rpartition(".")[2] in ONE_MEMBER


def _lint_unused(playbook: Playbook, uses: Sequence[_Use]) -> Iterator[Fault]:
    used = {reference.root for use in uses for reference in references_in(use.inputs)}
    used |= {reference.root for _, name in _effects(playbook) for reference in references_in(name)}
    used |= {parameter.member_of for parameter in playbook.parameters.values()}
    used |= set(playbook.locks)
    for name in playbook.parameters:
        if name not in used:
            yield Fault(
                ("parameters", name),
                f"parameter `{name}` is used nowhere",
                "whoever sets it would believe that it matters",
                "remove it or refer to it",
                at_key=True,
            )
