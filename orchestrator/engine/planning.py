"""Stage 1 of 6, plan: bind playbook, parameters and environment, and freeze them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.checklist import Checklist, ChecklistItem
from orchestrator.domain.environment import Environment, Invariant
from orchestrator.domain.errors import ContentInvalid, RequestRefused
from orchestrator.domain.plan import BoundInvariant, Facts, Plan
from orchestrator.domain.playbook import (
    Action,
    ChecklistName,
    GateStop,
    Move,
    ParameterKind,
    Playbook,
    Probe,
    Step,
    Undo,
    Verification,
)
from orchestrator.domain.problem import Position, Problem
from orchestrator.engine.binding import Dangling, Path, Scope, bind
from orchestrator.engine.scoping import bind_parameters, member_scope, scope_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Content as its authors wrote it, with the positions of its parts.

    Attributes:
        closure: SHA-256 of every file the plan depends on, by path.
        locate: From the name of a document (``playbook``, ``checklist NAME``, ``invariants``,
            ``journey NAME``) and a path inside it to a place in a file.
    """

    playbook: Playbook
    checklists: Mapping[ChecklistName, Checklist]
    environment: Environment
    closure: Mapping[str, str]
    locate: Callable[[str, Path], Position]


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
    playbook = written.playbook
    parameters = bind_parameters(playbook, written.environment, given, facts)
    binder = _Binder(written, scope_of(playbook, written.environment, parameters, facts))
    plan = Plan(
        playbook=playbook.playbook,
        title=playbook.title,
        objectives=playbook.objectives,
        parameters=parameters,
        defaults=_plain_defaults(playbook),
        resources=tuple(sorted({parameters[name] for name in playbook.locks})),
        gate=playbook.gate,
        checklists={name: binder.checklist(written.checklists[name]) for name in playbook.gates},
        steps=tuple(binder.moves(playbook.steps)),
        prior_state=binder.probes("playbook", playbook.prior_state, ("prior_state",)),
        verify=binder.verification(playbook.verify),
        invariants=tuple(binder.invariants(written.environment.invariants)),
        environment=written.environment,
        facts=facts,
        closure=written.closure,
    )
    binder.raise_problems()
    return plan


def _plain_defaults(playbook: Playbook) -> Mapping[str, str]:
    """Return the defaults whose change is a deviation: not which service, nor which member."""
    looked_up = {ParameterKind.SERVICE, ParameterKind.MEMBER}
    return {
        name: parameter.default
        for name, parameter in playbook.parameters.items()
        if parameter.kind not in looked_up and parameter.default
    }


class _Binder:
    """Binds one part after the other and collects what dangles."""

    def __init__(self, written: Written, scope: Scope) -> None:
        self._written = written
        self._scope = scope
        self._problems: list[Problem] = []
        self._unseen: list[str] = []

    def raise_problems(self) -> None:
        if self._problems:
            raise ContentInvalid(sorted(self._problems))
        if self._unseen:
            raise RequestRefused("; ".join(dict.fromkeys(self._unseen)))

    def checklist(self, checklist: Checklist) -> Checklist:
        document = f"checklist {checklist.checklist}"
        items = [
            self._item(document, item, ("items", index))
            for index, item in enumerate(checklist.items)
        ]
        return replace(checklist, items=tuple(items))

    def moves(self, moves: Sequence[Move]) -> Iterator[Move]:
        for index, move in enumerate(moves):
            yield move if isinstance(move, GateStop) else self._step(move, ("steps", index))

    def verification(self, verify: Verification) -> Verification:
        probes = {
            name: self._probe("playbook", probe, ("verify", "probes", name))
            for name, probe in verify.probes.items()
        }
        return replace(verify, probes=probes)

    def invariants(self, invariants: Sequence[Invariant]) -> Iterator[BoundInvariant]:
        for index, invariant in enumerate(invariants):
            environment = self._written.environment
            service = environment.services[invariant.service]
            yield BoundInvariant(
                invariant=invariant.invariant,
                why=invariant.why,
                at_most=invariant.at_most,
                at_least=invariant.at_least,
                probes={
                    host: Probe(
                        kind=invariant.probe.kind,
                        inputs=self._inputs(
                            "invariants",
                            invariant.probe.inputs,
                            ("invariants", index, invariant.probe.kind),
                            member_scope(self._scope, service, host, environment),
                        ),
                    )
                    for host in service.members
                },
            )

    def probes(self, document: str, probes: Sequence[Probe], path: Path) -> tuple[Probe, ...]:
        return tuple(
            self._probe(document, probe, (*path, index)) for index, probe in enumerate(probes)
        )

    def _item(self, document: str, item: ChecklistItem, path: Path) -> ChecklistItem:
        if item.probe is None:
            return item
        return replace(item, probe=self._probe(document, item.probe, path))

    def _step(self, step: Step, path: Path) -> Step:
        effect = step.effect
        return replace(
            step,
            action=self._action(step.action, path),
            expect=self.probes("playbook", step.expect, (*path, "expect")),
            prove=self.probes("playbook", step.prove, (*path, "prove")),
            undo=self._undo(step.undo, (*path, "undo")),
            effect=replace(
                effect,
                fences=self._name(effect.fences, (*path, "effect", "fences")),
                promotes=self._name(effect.promotes, (*path, "effect", "promotes")),
            ),
        )

    def _undo(self, undo: Undo | None, path: Path) -> Undo | None:
        if undo is None:
            return None
        return replace(
            undo,
            action=self._action(undo.action, path),
            expect=self.probes("playbook", undo.expect, (*path, "expect")),
        )

    def _action(self, action: Action, path: Path) -> Action:
        inputs = self._inputs("playbook", action.inputs, (*path, action.kind), self._scope)
        return replace(action, inputs=inputs)

    def _probe(self, document: str, probe: Probe, path: Path) -> Probe:
        inputs = self._inputs(document, probe.inputs, (*path, probe.kind), self._scope)
        return replace(probe, inputs=inputs)

    def _name(self, name: str, path: Path) -> str:
        return str(bind(name, self._scope, path, self._reporter("playbook")))

    def _inputs(
        self, document: str, inputs: Mapping[str, object], path: Path, scope: Scope
    ) -> Mapping[str, object]:
        report = self._reporter(document)
        return {key: bind(value, scope, (*path, key), report) for key, value in inputs.items()}

    def _reporter(self, document: str) -> Callable[[Dangling], None]:
        def report(dangling: Dangling) -> None:
            if dangling.is_unseen:
                self._unseen.append(dangling.reason)
                return
            self._problems.append(
                Problem(
                    position=self._written.locate(document, dangling.path),
                    what=f"${{{dangling.reference}}} names nothing that can stand here",
                    why=dangling.reason,
                    remedy="correct the reference",
                )
            )

        return report
