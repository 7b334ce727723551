"""Every reference of one playbook, bound in its scope; what dangles is collected. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from orchestrator.domain.checklist import Checklist, ChecklistItem
from orchestrator.domain.environment import Environment, Fence, Invariant, Service
from orchestrator.domain.errors import ContentInvalid, RequestRefused
from orchestrator.domain.plan import BoundInvariant
from orchestrator.domain.playbook import Action, Effect, GateStop, Move, Probe, Step, Undo
from orchestrator.domain.problem import Position, Problem
from orchestrator.engine.binding import Dangling, Path, Scope, bind
from orchestrator.engine.scoping import member_scope

Locate = Callable[[str, Path], Position]
"""From the name of a document and a path inside it to a place in a file."""


class Complaints:
    """What could not be bound: mistakes of authors, and what the world did not show."""

    def __init__(self, locate: Locate) -> None:
        self._locate = locate
        self._problems: list[Problem] = []
        self._unseen: dict[str, None] = {}

    def add(self, document: str, dangling: Dangling) -> None:
        """Note a reference of *document* that names nothing."""
        if dangling.is_unseen:
            self._unseen[dangling.reason] = None
            return
        self._problems.append(
            Problem(
                position=self._locate(document, dangling.path),
                what=f"${{{dangling.reference}}} names nothing that can stand here",
                why=dangling.reason,
                remedy="correct the reference",
            )
        )

    def raise_all(self) -> None:
        """Raise what was noted, if anything.

        Raises:
            ContentInvalid: With every mistake of an author.
            RequestRefused: If there is none, with what was seen instead.
        """
        if self._problems:
            raise ContentInvalid(sorted(self._problems))
        if self._unseen:
            raise RequestRefused("; ".join(self._unseen))


class Resolver:
    """Binds one part after the other of a playbook.

    Args:
        document: The playbook's name, for places of what dangles.
    """

    def __init__(self, document: str, scope: Scope, complaints: Complaints) -> None:
        self._document = document
        self._scope = scope
        self._complaints = complaints

    def checklist(self, checklist: Checklist) -> Checklist:
        """Return *checklist* with its probes bound."""
        document = f"checklist {checklist.checklist}"
        items = [
            self._item(document, item, ("items", index))
            for index, item in enumerate(checklist.items)
        ]
        return replace(checklist, items=tuple(items))

    def move(self, move: Move, path: Path) -> Move:
        """Return a step with everything in it bound; a gate as it is."""
        return move if isinstance(move, GateStop) else self._step(move, path)

    def named_probes(self, probes: Mapping[str, Probe], path: Path) -> Mapping[str, Probe]:
        """Return *probes* bound, by the same names."""
        return {
            name: self._probe(self._document, probe, (*path, name))
            for name, probe in probes.items()
        }

    def probes(self, probes: Sequence[Probe], path: Path) -> tuple[Probe, ...]:
        """Return *probes* bound, in the same order."""
        return tuple(
            self._probe(self._document, probe, (*path, index))
            for index, probe in enumerate(probes)
        )

    def invariants(self, environment: Environment) -> Iterator[BoundInvariant]:
        """Yield the invariants of *environment*, with a look for each member."""
        for index, invariant in enumerate(environment.invariants):
            yield BoundInvariant(
                invariant=invariant.invariant,
                why=invariant.why,
                at_most=invariant.at_most,
                at_least=invariant.at_least,
                probes=self._invariant_probes(invariant, environment, ("invariants", index)),
            )

    def fences(self, environment: Environment) -> Mapping[str, tuple[Fence, ...]]:
        """Return the fences of every member that has some, by ``service/host``."""
        return {
            f"{service.name}/{host}": tuple(self._fences_of(service, host, environment))
            for service in environment.services.values()
            if service.fences
            for host in service.members
        }

    def text(self, text: str, path: Path) -> str:
        """Return *text* bound."""
        return str(bind(text, self._scope, path, self._reporter(self._document)))

    def _invariant_probes(
        self, invariant: Invariant, environment: Environment, path: Path
    ) -> Mapping[str, Probe]:
        service, probe = environment.services[invariant.service], invariant.probe
        return {
            host: replace(
                probe,
                inputs=self._inputs(
                    "invariants",
                    probe.inputs,
                    (*path, probe.kind),
                    member_scope(self._scope, service, host, environment),
                ),
            )
            for host in service.members
        }

    def _fences_of(self, service: Service, host: str, environment: Environment) -> Iterator[Fence]:
        scope = member_scope(self._scope, service, host, environment)
        for index, fence in enumerate(service.fences):
            path = ("services", service.name, "fences", index, fence.kind)
            yield replace(fence, inputs=self._inputs("services", fence.inputs, path, scope))

    def _item(self, document: str, item: ChecklistItem, path: Path) -> ChecklistItem:
        if item.probe is None:
            return item
        return replace(item, probe=self._probe(document, item.probe, path))

    def _step(self, step: Step, path: Path) -> Step:
        return replace(
            step,
            action=self._action(step.action, path),
            expect=self.probes(step.expect, (*path, "expect")),
            prove=self.probes(step.prove, (*path, "prove")),
            undo=self._undo(step.undo, (*path, "undo")),
            effect=self._effect(step.effect, (*path, "effect")),
        )

    def _effect(self, effect: Effect, path: Path) -> Effect:
        return Effect(
            fences=self.text(effect.fences, (*path, "fences")),
            promotes=self.text(effect.promotes, (*path, "promotes")),
            reprotects=self.text(effect.reprotects, (*path, "reprotects")),
        )

    def _undo(self, undo: Undo | None, path: Path) -> Undo | None:
        if undo is None:
            return None
        return replace(
            undo,
            action=self._action(undo.action, path),
            expect=self.probes(undo.expect, (*path, "expect")),
        )

    def _action(self, action: Action, path: Path) -> Action:
        inputs = self._inputs(self._document, action.inputs, (*path, action.kind), self._scope)
        return replace(action, inputs=inputs)

    def _probe(self, document: str, probe: Probe, path: Path) -> Probe:
        inputs = self._inputs(document, probe.inputs, (*path, probe.kind), self._scope)
        return replace(probe, inputs=inputs)

    def _inputs(
        self, document: str, inputs: Mapping[str, object], path: Path, scope: Scope
    ) -> Mapping[str, object]:
        report = self._reporter(document)
        return {key: bind(value, scope, (*path, key), report) for key, value in inputs.items()}

    def _reporter(self, document: str) -> Callable[[Dangling], None]:
        return lambda dangling: self._complaints.add(document, dangling)
