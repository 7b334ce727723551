"""How a run ended, or where it stands, in words for people. Pure."""

from __future__ import annotations

from orchestrator.domain.checklist import PersonName
from orchestrator.domain.plan import Mode, Plan
from orchestrator.domain.playbook import StepName
from orchestrator.domain.report import Standing
from orchestrator.domain.run import ExitCode, GateWaits, Outcome
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.accepting import accepted_risks

_HEADLINES = {
    ExitCode.VERIFIED: "Done, nothing to verify",
    ExitCode.INTERNAL: "Broken off by an internal error",
    ExitCode.USAGE: "Not started",
    ExitCode.REFUSED: "Refused by the gate",
    ExitCode.ROLLED_BACK: "Failed, rolled back",
    ExitCode.HANDS_NEEDED: "Failed, hands needed",
    ExitCode.UNKNOWN: "Outcome unknown",
    ExitCode.ABORTED: "Aborted",
    ExitCode.SIGN_OFF_TIMED_OUT: "Nobody signed in time",
}
_VERIFIED = {
    Verdict.PASSED: "Verified",
    Verdict.DEGRADED: "Verified, with reservations",
    Verdict.INCONCLUSIVE: "Done, not verified",
    Verdict.FAILED: "Done, verification failed",
}
_MEND = "Read below what did not hold, mend it, and run the playbook again."
_AFTERWARDS = {
    Verdict.PASSED: "Nothing: the run is complete.",
    Verdict.DEGRADED: "Nothing urgent: settle the reservations that are listed here.",
    Verdict.INCONCLUSIVE: _MEND,
    Verdict.FAILED: _MEND,
}
_UNDER_WAY = {Standing.GOING: "Still going", Standing.WAITING: "Waits for people"}
_JUDGED_BY_VERIFICATION = {ExitCode.VERIFIED, ExitCode.UNKNOWN, ExitCode.HANDS_NEEDED}
_LOST = {ExitCode.ROLLED_BACK, ExitCode.HANDS_NEEDED}


def standing_of(state: RunState) -> Standing:
    """Return whether the run is over, and if not, whether it waits for somebody."""
    if state.ended:
        return Standing.ENDED
    if state.held:
        return Standing.HELD
    return Standing.WAITING if _open_wait(state) else Standing.GOING


def verdict_of(state: RunState) -> Verdict:
    """Return the verdict; a run that has not ended has passed nothing."""
    if state.ended:
        return state.ended.verdict
    is_lost = state.held is not None and state.held.exit_code in _LOST
    return Verdict.FAILED if is_lost else Verdict.INCONCLUSIVE


def exit_code_of(state: RunState) -> ExitCode | None:
    """Return what the command line answers; nothing while the run is going."""
    word = state.ended or state.held
    return word.exit_code if word else None


def headline_of(plan: Plan, state: RunState) -> str:
    """Return the verdict in a few words; a risk that people accepted comes first."""
    risks = (f"{risk[:1].upper()}{risk[1:]}" for risk in accepted_risks(plan, state))
    return ". ".join((*risks, _headline(state)))


def _headline(state: RunState) -> str:
    if state.held and not state.ended:
        return "Held, " + _HEADLINES.get(state.held.exit_code, "hands needed").lower()
    if not state.ended:
        return _UNDER_WAY[standing_of(state)]
    if state.created and state.created.mode is Mode.PREFLIGHT:
        return f"Preflight {state.ended.verdict}"
    if state.checks and state.ended.exit_code in _JUDGED_BY_VERIFICATION:
        return _VERIFIED[state.ended.verdict]
    return _HEADLINES[state.ended.exit_code]


def summary_of(plan: Plan, state: RunState) -> str:
    """Return what has happened."""
    if state.ended:
        return state.ended.summary
    if state.held:
        return state.held.reason
    waits = _open_wait(state)
    if waits:
        return f"Gate {waits.gate} waits for people: {'; '.join(waits.obstacles)}"
    return _progress(plan, state)


def next_action_of(state: RunState) -> str:
    """Return what somebody has to do next. Never empty."""
    if state.ended:
        return state.ended.next_action or _AFTERWARDS[state.ended.verdict]
    if state.held:
        return state.held.next_action
    waits = _open_wait(state)
    if waits:
        return f"Sign or waive before {waits.until:%H:%M:%S} UTC: recover sign {state.run} ITEM"
    return f"Wait for it to end, or watch: recover attach {state.run}"


def owner_of(state: RunState) -> PersonName:
    """Return who has to move next, if the run is held."""
    return state.held.owner if state.held and not state.ended else PersonName("")


def _open_wait(state: RunState) -> GateWaits | None:
    if state.refused or state.abort:
        return None
    open_waits = [waits for gate, waits in state.waits.items() if gate not in state.opened]
    return open_waits[-1] if open_waits else None


def _progress(plan: Plan, state: RunState) -> str:
    steps = tuple(plan.actions)
    done = [s for s in state.steps.values() if s.result and s.result.outcome is Outcome.DONE]
    counted = f"{len(done)} of {len(steps)} steps are done"
    at_work = [step.name for step in steps if _is_at_work(state, step.name)]
    return f"{counted}, {at_work[0]} is at work." if at_work else f"{counted}."


def _is_at_work(state: RunState, name: StepName) -> bool:
    standing = state.steps.get(name)
    return standing is not None and standing.result is None
