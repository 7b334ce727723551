"""What the looks of a run come to: invariants, and the verdict at its end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from orchestrator.domain.evidence import Evidence, combine
from orchestrator.domain.plan import BoundInvariant, Plan
from orchestrator.domain.run import ExitCode, RunEnded
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict

EXIT_CODES: Mapping[Verdict, ExitCode] = {
    Verdict.PASSED: ExitCode.VERIFIED,
    Verdict.DEGRADED: ExitCode.VERIFIED,
    Verdict.INCONCLUSIVE: ExitCode.UNKNOWN,
    Verdict.FAILED: ExitCode.HANDS_NEEDED,
}


def judge_invariant(
    invariant: BoundInvariant, looks: Mapping[str, Evidence], *, now: datetime
) -> Evidence:
    """Decide whether *invariant* holds from one look at each member.

    A member that was not heard may be in either state, so it counts against ``at_most`` and
    not for ``at_least``: such an invariant is inconclusive, never passed.
    """
    yes = sorted(name for name, look in looks.items() if look.verdict is Verdict.PASSED)
    unheard = sorted(name for name, look in looks.items() if look.verdict is Verdict.INCONCLUSIVE)
    most = len(yes) + len(unheard) if invariant.at_most is None else invariant.at_most
    least = invariant.at_least or 0
    if len(yes) > most or len(yes) + len(unheard) < least:
        verdict = Verdict.FAILED
    elif len(yes) + len(unheard) > most or len(yes) < least:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.PASSED
    summary = f"{', '.join(yes) or 'no member'} of {len(looks)}"
    silent = f"; no answer from {', '.join(unheard)}" if unheard else ""
    at = combine(looks.values(), now=now).at
    return Evidence(verdict=verdict, summary=summary + silent, at=at)


def conclude(plan: Plan, state: RunState) -> RunEnded:
    """Return the end of a run from everything its journal holds."""
    if state.refused:
        return _conclude_refused(state)
    if state.abort:
        return RunEnded(
            verdict=Verdict.INCONCLUSIVE,
            exit_code=ExitCode.ABORTED,
            summary=f"aborted by {state.abort.by}; {_what_changed(state)}",
        )
    if state.prior_state:
        return RunEnded(
            verdict=Verdict.FAILED,
            exit_code=ExitCode.ROLLED_BACK,
            summary=f"{_what_failed(state)}; rolled back, prior state proved by probes",
            next_action="find out why the step failed before trying again",
        )
    return _conclude_verified(plan, state)


def _conclude_refused(state: RunState) -> RunEnded:
    timed_out = bool(state.refused and state.refused.timed_out)
    obstacles = state.refused.obstacles if state.refused else ()
    changed = bool(state.steps)
    exit_code = ExitCode.ROLLED_BACK if changed else ExitCode.REFUSED
    return RunEnded(
        verdict=Verdict.INCONCLUSIVE if timed_out else Verdict.FAILED,
        exit_code=ExitCode.SIGN_OFF_TIMED_OUT if timed_out else exit_code,
        summary=f"the gate stayed shut: {'; '.join(obstacles)}; {_what_changed(state)}",
        next_action="mend what the gate names and start again",
    )


def _conclude_verified(plan: Plan, state: RunState) -> RunEnded:
    degraded_gate = any(
        sign_off.is_waiver
        for of_gate in state.answers.values()
        for answers in of_gate.values()
        for sign_off in answers.sign_offs
    )
    verdict = Verdict.worst_of(check.verdict for check in state.checks)
    if degraded_gate:
        verdict = Verdict.worst_of((verdict, Verdict.DEGRADED))
    telling = [
        f"{check.group} {check.name}: {check.detail}"
        for check in state.checks
        if check.verdict is not Verdict.PASSED
    ]
    return RunEnded(
        verdict=verdict,
        exit_code=EXIT_CODES[verdict],
        summary="; ".join(telling) or f"{plan.title}: done and verified",
        next_action="look at each check that did not pass" if telling else "",
    )


def _what_changed(state: RunState) -> str:
    if not state.steps:
        return "nothing was changed"
    return "what was done was taken back, prior state proved by probes"


def _what_failed(state: RunState) -> str:
    failed = [s.result for s in state.steps.values() if s.result and s.result.outcome != "done"]
    if failed:
        last = failed[-1]
        return f"step {last.step}: {last.outcome}: {last.evidence.summary}"
    return "an invariant did not hold"
