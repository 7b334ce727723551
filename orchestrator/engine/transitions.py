"""What a run does next: one pure function of its plan, its journal and the time."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.domain.checklist import ItemName
from orchestrator.domain.decision import (
    CheckPriorState,
    Decision,
    End,
    Hold,
    LookAtItems,
    Measure,
    NoteGate,
    Rest,
    SettleStep,
    StartStep,
    StartWatch,
    UndoStep,
    Verify,
    WaitForPeople,
)
from orchestrator.domain.plan import Mode, Plan
from orchestrator.domain.playbook import ChecklistName, GateStop, Step
from orchestrator.domain.run import GateOpened, GateRefused, GateWaits, Outcome, StepFinished
from orchestrator.domain.state import RunState, StepStanding
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.gating import GateContext, evaluate_gate, stale_looks
from orchestrator.engine.holding import (
    broken_invariants,
    hold_aborted,
    hold_after_undo,
    hold_at_gate,
    hold_broken_invariants,
    hold_failed_step,
    hold_unproven,
    hold_without_prior_state,
)

LOOKING_LIMIT = timedelta(minutes=1)
"""Looks that grow stale before all are made are made again for so long, and no longer."""


def next_move(plan: Plan, state: RunState, *, now: datetime) -> Decision:
    """Decide what the run does next. The same journal at the same time decides the same."""
    if state.ended or state.held:
        return Rest()
    if state.abandoned:
        return _end_measured(state)
    if state.watch is None and state.abort is None:
        return StartWatch()
    if is_turning_back(plan, state):
        return _next_backward(plan, state)
    return _next_forward(plan, state, now)


def has_passed_no_return(plan: Plan, state: RunState) -> bool:
    """Tell whether the point of no return was intended: from there on nothing is undone."""
    return any(step.point_of_no_return and step.name in state.steps for step in plan.actions)


def gate_context(plan: Plan, state: RunState, gate: ChecklistName) -> GateContext:
    """Return what signatures at *gate* of this run are bound to."""
    if state.created is None:
        raise ValueError("a run without a RunCreated event has no gates")
    return GateContext(
        run=state.run,
        mode=state.created.mode,
        plan_digest=state.created.plan_digest,
        gate=gate,
        requester=state.created.requester,
        environment=plan.environment,
        about={
            ItemName(step.name): _verdict_of(state.steps.get(step.name))
            for step in plan.actions
            if step.if_unproven == gate
        },
    )


def _verdict_of(standing: StepStanding | None) -> Verdict:
    result = standing.result if standing else None
    return result.evidence.verdict if result else Verdict.INCONCLUSIVE


def is_turning_back(plan: Plan, state: RunState) -> bool:
    """Tell whether the run only takes back what it did, if anything, and then ends."""
    if has_passed_no_return(plan, state):
        return False
    if state.abort or state.turned_back or broken_invariants(state):
        return True
    if state.refused and state.refused.gate not in plan.fence_gates:
        return True
    return any(_has_failed(step, state.steps.get(step.name)) for step in plan.actions)


def _next_backward(plan: Plan, state: RunState) -> Decision:
    for step in reversed(tuple(plan.actions)):
        decision = _next_at_undo(state, step)
        if decision:
            return decision
    if state.steps and state.prior_state is None:
        return CheckPriorState()
    if state.prior_state and state.prior_state.evidence.verdict is not Verdict.PASSED:
        return hold_without_prior_state(state.prior_state.evidence.summary)
    return _end_measured(state)


def _next_at_undo(state: RunState, step: Step) -> Decision | None:
    """Return what is to be done to take *step* back, or ``None`` if nothing is."""
    standing = state.steps.get(step.name)
    if standing is None:
        return None
    was_begun = step.name in state.undos
    if standing.result is None and not was_begun:
        return SettleStep(step, standing.attempts)
    if step.undo is None:
        return None
    undone = state.undos.get(step.name)
    if undone is None:
        return UndoStep(step, step.undo, was_begun)
    if undone.outcome is Outcome.DONE:
        return None
    return hold_after_undo(step, undone.outcome, undone.evidence.summary)


def _next_forward(plan: Plan, state: RunState, now: datetime) -> Decision:
    for move in (GateStop(gate=plan.gate), *plan.steps):
        if isinstance(move, GateStop):
            decision = _next_at_gate(plan, state, move.gate, now)
        else:
            decision = _next_at_step(plan, state, move, now)
        if decision:
            return decision
        if state.created and state.created.mode is Mode.PREFLIGHT:
            return _end_measured(state)
    if broken_invariants(state):
        return hold_broken_invariants(state)
    return End() if state.measured else Verify()


def _next_at_gate(
    plan: Plan, state: RunState, gate: ChecklistName, now: datetime
) -> Decision | None:
    """Return what is to be done at *gate*, or ``None`` if it is behind us."""
    if gate in state.opened:
        return None
    if state.refused:
        return hold_at_gate(state.refused)
    return _reason_to_stop(state) or _ask_gate(plan, state, gate, now)


def _ask_gate(plan: Plan, state: RunState, gate: ChecklistName, now: datetime) -> Decision:
    items, answers = plan.checklists[gate].items, state.answers.get(gate, {})
    decision = evaluate_gate(gate_context(plan, state, gate), items, answers, now=now)
    if decision.is_open:
        return NoteGate(GateOpened(gate=gate, verdict=decision.verdict))
    waits = state.waits.get(gate)
    until = waits.until if waits else state.asked.get(gate, now) + LOOKING_LIMIT
    if now > until:
        is_late = waits is not None
        return NoteGate(GateRefused(gate=gate, obstacles=decision.obstacles, timed_out=is_late))
    stale = stale_looks(items, answers, now=now)
    if stale:
        return LookAtItems(gate, stale)
    if not decision.waits_only_for_people:
        return NoteGate(GateRefused(gate=gate, obstacles=decision.obstacles))
    if waits:
        return WaitForPeople(until)
    until = now + plan.environment.policy.sign_off_within
    return NoteGate(GateWaits(gate=gate, until=until, obstacles=decision.obstacles))


def _next_at_step(plan: Plan, state: RunState, step: Step, now: datetime) -> Decision | None:
    """Return what is to be done about *step*, or ``None`` if it is behind us."""
    standing = state.steps.get(step.name, StepStanding(attempts=0))
    result = standing.result
    if standing.attempts and result is None:
        return SettleStep(step, standing.attempts)
    if result and result.outcome is Outcome.DONE:
        return None
    if result and not _may_start_again(step, standing):
        return _next_after_failure(plan, state, step, result, now)
    return _reason_to_stop(state) or StartStep(step, standing.attempts + 1)


def _next_after_failure(
    plan: Plan, state: RunState, step: Step, result: StepFinished, now: datetime
) -> Decision | None:
    """Hold, or ask people about a fence that is not proved; ``None`` once they accept that."""
    if step.if_unproven is None:
        return hold_failed_step(step, result)
    if step.if_unproven in state.opened:
        return None
    if state.refused:
        return hold_unproven(step, result, state.refused)
    return _reason_to_stop(state) or _ask_gate(plan, state, step.if_unproven, now)


def _has_failed(step: Step, standing: StepStanding | None) -> bool:
    """Tell whether *step* turns the run back; about an unproven fence people may be asked."""
    if standing is None or standing.result is None:
        return False
    is_behind = standing.result.outcome is Outcome.DONE or step.if_unproven is not None
    return not is_behind and not _may_start_again(step, standing)


def _may_start_again(step: Step, standing: StepStanding) -> bool:
    """Tell whether a person allows it, or a look at an interrupted repeatable step does."""
    result = standing.result
    was_lost = result is not None and result.settled and result.outcome is Outcome.FAILED
    return standing.may_retry or (was_lost and step.repeatable)


def _end_measured(state: RunState) -> Decision:
    return Measure() if state.watch and state.measured is None else End()


def _reason_to_stop(state: RunState) -> Hold | None:
    """Return why nothing new may be done behind the point of no return."""
    if state.abort:
        return hold_aborted(state.abort)
    return hold_broken_invariants(state) if broken_invariants(state) else None
