"""Why a run stops and keeps its locks, and what a person has to do next. Pure."""

from __future__ import annotations

from orchestrator.domain.decision import Hold
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Step
from orchestrator.domain.run import AbortRequested, ExitCode, GateRefused, Outcome, StepFinished
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict


def holds(evidence: Evidence) -> bool:
    """Tell whether an invariant holds, be it with a reservation."""
    return evidence.verdict in {Verdict.PASSED, Verdict.DEGRADED}


def broken_invariants(state: RunState) -> tuple[str, ...]:
    """Return what the newest look said of each invariant that did not hold."""
    if state.invariants is None:
        return ()
    return tuple(
        f"{name}: {evidence.summary}"
        for name, evidence in state.invariants.evidence.items()
        if not holds(evidence)
    )


def hold_failed_step(step: Step, result: StepFinished) -> Hold:
    """Stop because of a step that failed or is unknown, behind the point of no return."""
    is_unknown = result.outcome is Outcome.UNKNOWN
    return Hold(
        reason=f"step {step.name}: {result.outcome}: {result.evidence.summary}",
        next_action=step.if_it_fails
        or f"look at the target, then retry {step.name} or abort the run",
        exit_code=ExitCode.UNKNOWN if is_unknown else ExitCode.HANDS_NEEDED,
    )


def hold_unproven(step: Step, result: StepFinished, refused: GateRefused) -> Hold:
    """Stop because a fence is not proved, and not enough people accept the risk."""
    fenced = step.effect.fences
    return Hold(
        reason=f"the fence of {fenced} is not proved: {result.evidence.summary}; "
        f"gate {refused.gate} stays shut: {'; '.join(refused.obstacles)}",
        next_action=f"fence {fenced} by hand and retry {step.name}; or resume the run, which "
        "asks again whether the risk of two writable members is accepted; or abort it",
        exit_code=ExitCode.SIGN_OFF_TIMED_OUT if refused.timed_out else ExitCode.HANDS_NEEDED,
    )


def hold_after_undo(step: Step, outcome: Outcome, summary: str) -> Hold:
    """Stop because a step could not be taken back."""
    return Hold(
        reason=f"undo of {step.name}: {outcome}: {summary}",
        next_action=f"take {step.name} back by hand, then resume the run, or abort it",
        exit_code=ExitCode.UNKNOWN if outcome is Outcome.UNKNOWN else ExitCode.HANDS_NEEDED,
    )


def hold_without_prior_state(summary: str) -> Hold:
    """Stop because everything was taken back and the world is still not as it was."""
    return Hold(
        reason=f"rolled back, but the prior state is not proved: {summary}",
        next_action="restore the prior state by hand, then resume the run, or abort it",
        exit_code=ExitCode.HANDS_NEEDED,
    )


def hold_broken_invariants(state: RunState) -> Hold:
    """Stop because an invariant does not hold behind the point of no return."""
    return Hold(
        reason="an invariant does not hold: " + "; ".join(broken_invariants(state)),
        next_action="make the invariant true by hand, then resume the run, or abort it",
        exit_code=ExitCode.HANDS_NEEDED,
    )


def hold_at_gate(refused: GateRefused) -> Hold:
    """Stop at a gate behind the point of no return that stays shut."""
    return Hold(
        reason=f"gate {refused.gate} stays shut: " + "; ".join(refused.obstacles),
        next_action="mend what the gate names, then resume the run, or abort it",
        exit_code=ExitCode.HANDS_NEEDED,
    )


def hold_aborted(abort: AbortRequested) -> Hold:
    """Stop because somebody wants it, where nothing can be taken back any more."""
    return Hold(
        reason=f"aborted by {abort.by} after the point of no return",
        next_action="finish by hand: what was done is in the report; then abort the run again",
        exit_code=ExitCode.ABORTED,
    )
