"""A fence that was not proved: when people may go on nevertheless, and who did. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.domain.checklist import Checklist, Level, PersonName
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import ChecklistName, GateStop, Playbook, Step
from orchestrator.domain.problem import Fault, Path
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.tracing import Finding

FEWEST_PEOPLE = 2
"""Who accepts that two members may take writes does not do so alone."""


def accepted_risks(plan: Plan, state: RunState) -> tuple[str, ...]:
    """Return in words each fence that people went on without; empty in every good run."""
    return tuple(
        f"split-brain risk accepted by {' and '.join(_signers(state, step.if_unproven))}: "
        f"the fence of {_host(step)} was not proved"
        for step in _unproven(plan, state)
        if step.if_unproven
    )


def excused_members(plan: Plan, state: RunState) -> frozenset[str]:
    """Return the hosts whose silence breaks no invariant any more, because people accepted it."""
    return frozenset(_host(step) for step in _unproven(plan, state))


def lint_unproven(
    playbook: Playbook, checklists: Mapping[ChecklistName, Checklist]
) -> Iterator[Finding]:
    """Yield what would let a run go on without a fence on less than the word of two people."""
    taken = [playbook.gate, *(m.gate for m in playbook.steps if isinstance(m, GateStop))]
    for index, step in enumerate(playbook.steps):
        if not isinstance(step, Step) or step.if_unproven is None:
            continue
        path = ("steps", index, "if_unproven")
        for fault in _lint_place(step, path, is_taken=step.if_unproven in taken):
            yield Finding("playbook", fault)
        taken.append(step.if_unproven)
        checklist = checklists.get(step.if_unproven)
        for fault in _lint_people(checklist) if checklist else ():
            yield Finding(f"checklist {step.if_unproven}", fault)


def _unproven(plan: Plan, state: RunState) -> Iterator[Step]:
    return (step for step in plan.actions if step.if_unproven in state.opened)


def _signers(state: RunState, gate: ChecklistName) -> tuple[PersonName, ...]:
    answers = state.answers.get(gate, {}).values()
    newest = {sign_off.by: sign_off for known in answers for sign_off in known.sign_offs}
    return tuple(sorted(by for by, last in newest.items() if last.verdict is Verdict.PASSED))


def _host(step: Step) -> str:
    return step.effect.fences.rpartition("/")[2]


def _lint_place(step: Step, path: Path, *, is_taken: bool) -> Iterator[Fault]:
    if not step.effect.fences:
        yield Fault(
            path,
            f"step `{step.name}` fences nobody",
            "only a fence can be left unproved",
            "remove it, or add `effect: {fences: ...}`",
        )
    if is_taken:
        yield Fault(
            path,
            f"`{step.if_unproven}` is another gate already",
            "who opened that one has not accepted this risk",
            "give this step a checklist of its own",
        )


def _lint_people(checklist: Checklist) -> Iterator[Fault]:
    for index, item in enumerate(checklist.items):
        path = ("items", index)
        if item.probe is not None:
            yield Fault(
                path,
                f"`{item.item}` is answered by a probe",
                "what no probe could prove, only people can accept",
                "let the people of a role answer it",
            )
        if item.level is not Level.HARD:
            yield Fault(
                (*path, "level"),
                f"`{item.item}` can be waived",
                "to accept the risk of two writable members is the least that is asked",
                "remove `level:`",
            )
    if not any(item.role and item.people >= FEWEST_PEOPLE for item in checklist.items):
        yield Fault(
            ("items",),
            "one person alone could accept the risk",
            "two members that take writes lose data",
            f"add `people: {FEWEST_PEOPLE}` to an item",
        )
