"""What people may ask of a run, and the events that come of it. Pure: no clock, no I/O."""

from __future__ import annotations

from datetime import datetime

from orchestrator.domain.checklist import ItemName, PersonName, SignOff
from orchestrator.domain.environment import Environment
from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import ChecklistName, Step, StepName
from orchestrator.domain.run import (
    AbortRequested,
    ItemSigned,
    ManualStepAnswered,
    Outcome,
    RetryRequested,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.gating import evaluate_gate, reasons_not_to_sign, shown_for
from orchestrator.engine.transitions import (
    gate_context,
    has_passed_no_return,
    is_turning_back,
)

MANUAL = "manual"
"""The kind of action that a person performs."""


def check_requester(environment: Environment, by: PersonName) -> None:
    """Refuse unless *by* may start runs here.

    Raises:
        RequestRefused: With the reason.
    """
    person = environment.people.get(by)
    allowed = environment.policy.start
    if person is None:
        known = ", ".join(sorted(environment.people))
        raise RequestRefused(
            f"{by} is not among the people of {environment.environment} ({known}); "
            "say who you are with --as NAME"
        )
    if not set(person.roles) & set(allowed):
        raise RequestRefused(f"{by} has none of the roles that may start: {', '.join(allowed)}")


def waiting_gate(plan: Plan, state: RunState) -> ChecklistName | None:
    """Return the gate that waits for people, if one does."""
    if state.ended or state.refused:
        return None
    waiting = (gate for gate in plan.gates if gate in state.waits and gate not in state.opened)
    return next(waiting, None)


def items_to_sign(plan: Plan, state: RunState, *, now: datetime) -> tuple[ItemName, ...]:
    """Return the items of the waiting gate that people can still answer or waive."""
    gate = waiting_gate(plan, state)
    if gate is None:
        return ()
    items, answers = plan.checklists[gate].items, state.answers.get(gate, {})
    decision = evaluate_gate(gate_context(plan, state, gate), items, answers, now=now)
    return tuple(s.item.item for s in decision.standings if s.is_blocking and s.waits_for)


def sign(
    plan: Plan,
    state: RunState,
    item: str,
    *,
    by: PersonName,
    verdict: Verdict,
    comment: str,
    waives: bool,
    now: datetime,
) -> ItemSigned:
    """Return the signature of *by* under *item* as it stands now.

    Raises:
        RequestRefused: If nobody is asked, or *by* may not answer.
    """
    gate = waiting_gate(plan, state)
    if gate is None:
        raise RequestRefused(f"run {state.run} does not wait for anybody's signature now")
    checklist = plan.checklists[gate]
    found = checklist.find(item)
    if found is None:
        names = ", ".join(i.item for i in checklist.items if i.role)
        raise RequestRefused(f"gate {gate} has no item {item}; people answer {names}")
    if waives and not comment:
        raise RequestRefused("a waiver needs a reason, which goes into the report")
    context = gate_context(plan, state, gate)
    reasons = reasons_not_to_sign(context, found, by, waives=waives)
    if reasons:
        raise RequestRefused("; ".join(reasons))
    shown = shown_for(context, found, checklist.items, state.answers.get(gate, {}))
    sign_off = SignOff(
        by=by, shown=shown.digest, verdict=verdict, at=now, comment=comment, is_waiver=waives
    )
    return ItemSigned(gate=gate, item=found.item, sign_off=sign_off)


def manual_step(plan: Plan, state: RunState) -> Step | None:
    """Return the manual step that waits for a person's hands, if one does."""
    return next(
        (
            step
            for step in plan.actions
            if step.action.kind == MANUAL
            and (standing := state.steps.get(step.name))
            and standing.result is None
        ),
        None,
    )


def answer_manual_step(
    plan: Plan, state: RunState, step: str, *, by: PersonName, verdict: Verdict, comment: str
) -> ManualStepAnswered:
    """Return what *by* says of the manual *step* that waits now.

    Raises:
        RequestRefused: If it does not wait, or *by* does not have the role it names.
    """
    waiting = manual_step(plan, state)
    if waiting is None or waiting.name != step:
        raise RequestRefused(f"run {state.run} does not wait for {step} now")
    _check_person(plan.environment, by)
    role = str(waiting.action.inputs.get("role", ""))
    if role not in plan.environment.people[by].roles:
        raise RequestRefused(f"{by} does not have the role {role}")
    attempt = state.steps[waiting.name].attempts
    return ManualStepAnswered(
        step=waiting.name, attempt=attempt, by=by, verdict=verdict, comment=comment
    )


def abort(plan: Plan, state: RunState, *, by: PersonName, reason: str) -> AbortRequested:
    """Return the request to stop. A run that can still turn back does; else it ends as it stands.

    Raises:
        RequestRefused: If the run is over, or *by* is unknown here.
    """
    _check_open(state)
    _check_person(plan.environment, by)
    is_held_before = state.held is not None and not has_passed_no_return(plan, state)
    takes_back = is_held_before and not state.turned_back
    return AbortRequested(by=by, reason=reason, takes_back=takes_back)


def retry(
    plan: Plan, state: RunState, step: str, *, by: PersonName, reason: str
) -> RetryRequested:
    """Return the permission to try *step* of a held run again.

    Raises:
        RequestRefused: If the run is not held because of that step.
    """
    _check_open(state)
    _check_person(plan.environment, by)
    standing = state.steps.get(StepName(step))
    if state.held is None or standing is None or standing.result is None:
        raise RequestRefused(f"run {state.run} is not held because of {step}")
    if is_turning_back(plan, state):
        raise RequestRefused(f"run {state.run} takes back what it did: resume it, or abort it")
    if standing.result.outcome is Outcome.DONE:
        raise RequestRefused(f"step {step} is done; nothing is done twice")
    return RetryRequested(by=by, step=StepName(step), reason=reason)


def _check_open(state: RunState) -> None:
    if state.ended:
        raise RequestRefused(f"run {state.run} has ended: {state.ended.summary}")


def _check_person(environment: Environment, by: PersonName) -> None:
    if by not in environment.people:
        known = ", ".join(sorted(environment.people))
        raise RequestRefused(f"{by} is not among the people of the environment ({known})")
