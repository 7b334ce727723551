"""What a run does next: one pure function of its plan, its journal and the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.checklist import ChecklistItem
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import ChecklistName, GateStop, Step
from orchestrator.domain.run import (
    ExitCode,
    GateOpened,
    GateRefused,
    GateWaits,
    Outcome,
    StepFinished,
)
from orchestrator.domain.state import RunState, StepStanding
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.gating import GateContext, evaluate_gate, stale_looks


@dataclass(frozen=True, slots=True)
class StartWatch:
    """Let the canary begin, before anything else happens."""


@dataclass(frozen=True, slots=True)
class LookAtItems:
    """Let the probes answer these items."""

    gate: ChecklistName
    items: tuple[ChecklistItem, ...]


@dataclass(frozen=True, slots=True)
class NoteGate:
    """Write down what became of a gate."""

    event: GateOpened | GateRefused | GateWaits


@dataclass(frozen=True, slots=True)
class WaitForPeople:
    """Nothing to do until somebody signs, or the time is over."""

    until: datetime


@dataclass(frozen=True, slots=True)
class StartStep:
    """Do a step for the first time, or again where that is allowed."""

    step: Step
    attempt: int


@dataclass(frozen=True, slots=True)
class SettleStep:
    """An attempt was interrupted: find out what it did, changing nothing."""

    step: Step
    attempt: int


@dataclass(frozen=True, slots=True)
class UndoStep:
    """Take a step back."""

    step: Step


@dataclass(frozen=True, slots=True)
class CheckPriorState:
    """After a roll-back: look whether the world is as it was."""


@dataclass(frozen=True, slots=True)
class Verify:
    """Walk journeys, run suites, count writes, compare objectives."""


@dataclass(frozen=True, slots=True)
class Measure:
    """The run ends early: still account for what users saw."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop here, keep the locks, say what a person has to do next."""

    reason: str
    next_action: str
    exit_code: ExitCode


@dataclass(frozen=True, slots=True)
class End:
    """Write the verdict and release the locks."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The run has ended or is held: this driver has nothing more to do."""


Decision = (
    StartWatch
    | LookAtItems
    | NoteGate
    | WaitForPeople
    | StartStep
    | SettleStep
    | UndoStep
    | CheckPriorState
    | Verify
    | Measure
    | Hold
    | End
    | Rest
)


def next_move(plan: Plan, state: RunState, *, now: datetime) -> Decision:
    """Decide what the run does next. The same journal at the same time decides the same."""
    if state.ended or state.held:
        return Rest()
    if state.watch is None and state.abort is None:
        return StartWatch()
    if _is_turning_back(plan, state):
        return _next_backward(plan, state)
    if plan.gate not in state.opened:
        return _next_at_gate(plan, state, plan.gate, now)
    for move in plan.steps:
        match move:
            case GateStop():
                if move.gate not in state.opened:
                    return _next_at_gate(plan, state, move.gate, now)
            case Step():
                decision = _next_at_step(state, move)
                if decision:
                    return decision
    return End() if state.measured else Verify()


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
    )


def _is_turning_back(plan: Plan, state: RunState) -> bool:
    if has_passed_no_return(plan, state):
        return False
    wants_back = bool(state.refused or state.abort or state.undos or _broken_invariants(state))
    return wants_back or any(_has_failed(standing) for standing in state.steps.values())


def _next_backward(plan: Plan, state: RunState) -> Decision:
    for step in reversed(tuple(plan.actions)):
        standing = state.steps.get(step.name)
        if standing is None:
            continue
        if standing.result is None:
            return SettleStep(step, standing.attempts)
        if step.undo is None:
            continue
        undone = state.undos.get(step.name)
        if undone is None:
            return UndoStep(step)
        if undone.outcome is not Outcome.DONE:
            return _hold_after_undo(step, undone.outcome, undone.evidence.summary)
    if state.steps and state.prior_state is None:
        return CheckPriorState()
    if state.prior_state and state.prior_state.evidence.verdict is not Verdict.PASSED:
        return _hold_without_prior_state(state.prior_state.evidence.summary)
    if state.measured is None and state.watch is not None:
        return Measure()
    return End()


def _next_at_gate(plan: Plan, state: RunState, gate: ChecklistName, now: datetime) -> Decision:
    if state.abort:
        return _hold_aborted(state)
    if state.refused:
        return _hold_at_gate(state.refused)
    items = plan.checklists[gate].items
    answers = state.answers.get(gate, {})
    stale = stale_looks(items, answers, now=now)
    if stale:
        return LookAtItems(gate, stale)
    decision = evaluate_gate(gate_context(plan, state, gate), items, answers, now=now)
    if decision.is_open:
        return NoteGate(GateOpened(gate=gate, verdict=decision.verdict))
    if not decision.waits_only_for_people:
        return NoteGate(GateRefused(gate=gate, obstacles=decision.obstacles))
    waits = state.waits.get(gate)
    if waits is None:
        until = now + plan.environment.policy.sign_off_within
        return NoteGate(GateWaits(gate=gate, until=until, obstacles=decision.obstacles))
    if now > waits.until:
        return NoteGate(GateRefused(gate=gate, obstacles=decision.obstacles, timed_out=True))
    return WaitForPeople(waits.until)


def _next_at_step(state: RunState, step: Step) -> Decision | None:
    """Return what is to be done about *step*, or ``None`` if it is behind us."""
    standing = state.steps.get(step.name)
    if standing is None:
        if state.abort:
            return _hold_aborted(state)
        if _broken_invariants(state):
            return _hold_broken_invariants(state)
        return StartStep(step, 1)
    if standing.result is None:
        return SettleStep(step, standing.attempts)
    if standing.result.outcome is Outcome.DONE:
        return None
    if standing.may_retry:
        return StartStep(step, standing.attempts + 1)
    return _hold_failed_step(step, standing.result)


def _has_failed(standing: StepStanding) -> bool:
    return standing.result is not None and standing.result.outcome is not Outcome.DONE


def _broken_invariants(state: RunState) -> tuple[str, ...]:
    if state.invariants is None:
        return ()
    return tuple(
        f"{name}: {evidence.summary}"
        for name, evidence in state.invariants.evidence.items()
        if evidence.verdict is not Verdict.PASSED
    )


def _hold_failed_step(step: Step, result: StepFinished) -> Hold:
    is_unknown = result.outcome is Outcome.UNKNOWN
    return Hold(
        reason=f"step {step.name}: {result.outcome}: {result.evidence.summary}",
        next_action=step.if_it_fails
        or f"look at the target, then retry {step.name} or abort the run",
        exit_code=ExitCode.UNKNOWN if is_unknown else ExitCode.HANDS_NEEDED,
    )


def _hold_after_undo(step: Step, outcome: Outcome, summary: str) -> Hold:
    return Hold(
        reason=f"undo of {step.name}: {outcome}: {summary}",
        next_action=f"take {step.name} back by hand, check the prior state, then abort the run",
        exit_code=ExitCode.UNKNOWN if outcome is Outcome.UNKNOWN else ExitCode.HANDS_NEEDED,
    )


def _hold_without_prior_state(summary: str) -> Hold:
    return Hold(
        reason=f"rolled back, but the prior state is not proved: {summary}",
        next_action="bring the environment to its prior state by hand, then abort the run",
        exit_code=ExitCode.HANDS_NEEDED,
    )


def _hold_broken_invariants(state: RunState) -> Hold:
    return Hold(
        reason="an invariant does not hold: " + "; ".join(_broken_invariants(state)),
        next_action="make the invariant true by hand, then resume the run, or abort it",
        exit_code=ExitCode.HANDS_NEEDED,
    )


def _hold_at_gate(refused: GateRefused) -> Hold:
    return Hold(
        reason=f"gate {refused.gate} stays shut: " + "; ".join(refused.obstacles),
        next_action="mend what the gate names, then resume the run, or abort it",
        exit_code=ExitCode.HANDS_NEEDED,
    )


def _hold_aborted(state: RunState) -> Hold:
    by = state.abort.by if state.abort else "nobody"
    return Hold(
        reason=f"aborted by {by} after the point of no return",
        next_action="finish by hand: what was done is in the report; then abort the run again",
        exit_code=ExitCode.ABORTED,
    )
