"""What the looks of a run come to: invariants, and the verdict at its end. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from orchestrator.domain.evidence import Evidence, combine
from orchestrator.domain.plan import BoundInvariant, Mode, Plan
from orchestrator.domain.run import (
    AbortRequested,
    ExitCode,
    GateRefused,
    Outcome,
    RunEnded,
    RunHeld,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.accepting import accepted_risks
from orchestrator.engine.holding import broken_invariants

EXIT_CODES: Mapping[Verdict, ExitCode] = {
    Verdict.PASSED: ExitCode.VERIFIED,
    Verdict.DEGRADED: ExitCode.VERIFIED,
    Verdict.INCONCLUSIVE: ExitCode.UNKNOWN,
    Verdict.FAILED: ExitCode.HANDS_NEEDED,
}

UNTOUCHED = "nothing was changed"
TAKEN_BACK = "what was done was taken back, prior state proved by probes"


def judge_invariant(
    invariant: BoundInvariant,
    looks: Mapping[str, Evidence],
    *,
    now: datetime,
    excused: Collection[str] = (),
) -> Evidence:
    """Decide whether *invariant* holds from one look at each member.

    A member that was not heard may be in either state, so it counts against ``at_most`` and
    not for ``at_least``: such an invariant is inconclusive, never passed. It holds with a
    reservation if all that speaks against it is the silence of *excused* members.
    """
    yes = sorted(name for name, look in looks.items() if look.verdict is Verdict.PASSED)
    unheard = sorted(name for name, look in looks.items() if look.verdict is Verdict.INCONCLUSIVE)
    verdict = _count(invariant, len(yes), len(unheard))
    if verdict is Verdict.INCONCLUSIVE:
        others = set(unheard) - set(excused)
        has_leave = _count(invariant, len(yes), len(others)) is Verdict.PASSED
        verdict = Verdict.DEGRADED if has_leave else verdict
    summary = f"{', '.join(yes) or 'no member'} of {len(looks)}"
    silent = f"; no answer from {', '.join(unheard)}" if unheard else ""
    at = combine(looks.values(), now=now).at
    return Evidence(verdict=verdict, summary=summary + silent, at=at)


def _count(invariant: BoundInvariant, yes: int, unheard: int) -> Verdict:
    most = yes + unheard if invariant.at_most is None else invariant.at_most
    least = invariant.at_least or 0
    if yes > most or yes + unheard < least:
        return Verdict.FAILED
    if yes + unheard > most or yes < least:
        return Verdict.INCONCLUSIVE
    return Verdict.PASSED


def conclude(plan: Plan, state: RunState) -> RunEnded:
    """Return the end of a run from everything its journal holds.

    Risks that people accepted are told first, and leave no clean pass.
    """
    ended = _conclude(plan, state)
    risks = accepted_risks(plan, state)
    if not risks:
        return ended
    return replace(
        ended,
        verdict=Verdict.worst_of((ended.verdict, Verdict.DEGRADED)),
        summary="; ".join((*risks, ended.summary)),
    )


def _conclude(plan: Plan, state: RunState) -> RunEnded:
    if state.abort and state.abandoned:
        return _conclude_abandoned(state.abort, state.abandoned)
    if state.refused and not (state.abort and state.abort.takes_back):
        return _conclude_refused(state, state.refused)
    if state.abort:
        return _conclude_aborted(state, state.abort)
    if state.turned_back:
        return RunEnded(
            verdict=Verdict.FAILED,
            exit_code=ExitCode.ROLLED_BACK,
            summary=f"{_what_failed(state)}; {TAKEN_BACK}",
            next_action="find out why before trying again",
        )
    if state.created and state.created.mode is Mode.PREFLIGHT:
        return _conclude_preflight(plan, state)
    if not state.steps:
        return RunEnded(
            verdict=Verdict.FAILED,
            exit_code=ExitCode.REFUSED,
            summary=f"{_what_failed(state)}; {UNTOUCHED}",
            next_action="make the invariant true and start again",
        )
    return _conclude_verified(plan, state)


def _conclude_refused(state: RunState, refused: GateRefused) -> RunEnded:
    exit_code = ExitCode.ROLLED_BACK if state.steps else ExitCode.REFUSED
    return RunEnded(
        verdict=Verdict.INCONCLUSIVE if refused.timed_out else Verdict.FAILED,
        exit_code=ExitCode.SIGN_OFF_TIMED_OUT if refused.timed_out else exit_code,
        summary=f"the gate stayed shut: {'; '.join(refused.obstacles)}; {_what_changed(state)}",
        next_action="mend what the gate names and start again",
    )


def _conclude_abandoned(abort: AbortRequested, held: RunHeld) -> RunEnded:
    """A held run that is aborted ends where it stands: nothing more is done or taken back."""
    is_unknown = held.exit_code is ExitCode.UNKNOWN
    return RunEnded(
        verdict=Verdict.INCONCLUSIVE if is_unknown else Verdict.FAILED,
        exit_code=ExitCode.ABORTED,
        summary=f"ended by {abort.by} where it was held: {held.reason}",
        next_action=held.next_action,
    )


def _conclude_aborted(state: RunState, abort: AbortRequested) -> RunEnded:
    """An abort after the last step stops nothing any more: what was verified is told."""
    telling = "; ".join((f"aborted by {abort.by}", _what_changed(state), *_doubts(state)))
    verdicts = (check.verdict for check in state.checks)
    return RunEnded(
        verdict=Verdict.worst_of((Verdict.INCONCLUSIVE, *verdicts)),
        exit_code=ExitCode.ABORTED,
        summary=telling,
    )


def _conclude_preflight(plan: Plan, state: RunState) -> RunEnded:
    verdict = Verdict.worst_of(opened.verdict for opened in state.opened.values())
    return RunEnded(
        verdict=verdict,
        exit_code=EXIT_CODES[verdict],
        summary="; ".join((f"{plan.title}: the gate would open", *_doubts(state), UNTOUCHED)),
    )


def _conclude_verified(plan: Plan, state: RunState) -> RunEnded:
    verdict = Verdict.worst_of(check.verdict for check in state.checks)
    gates = (opened.verdict for opened in state.opened.values())
    verdict = Verdict.worst_of((verdict, *gates))
    doubts = _doubts(state) if state.checks else ("nothing was verified",)
    return RunEnded(
        verdict=verdict,
        exit_code=EXIT_CODES[verdict],
        summary="; ".join(doubts) or f"{plan.title}: done and verified",
        next_action="look at each check that did not pass" if doubts else "",
    )


def _doubts(state: RunState) -> tuple[str, ...]:
    """Return what stands between the run and a clean pass."""
    gates = (
        f"gate {gate}: opened with reservations"
        for gate, opened in state.opened.items()
        if opened.verdict is not Verdict.PASSED
    )
    checks = (
        f"{check.group} {check.name}: {check.detail}"
        for check in state.checks
        if check.verdict is not Verdict.PASSED
    )
    return (*gates, *checks)


def _what_changed(state: RunState) -> str:
    if not state.steps:
        return UNTOUCHED
    return TAKEN_BACK if state.turned_back else "every step was done by then and stays done"


def _what_failed(state: RunState) -> str:
    results = (standing.result for standing in state.steps.values())
    failed = [result for result in results if result and result.outcome is not Outcome.DONE]
    if failed:
        last = failed[-1]
        return f"step {last.step}: {last.outcome}: {last.evidence.summary}"
    return "; ".join(("an invariant did not hold", *broken_invariants(state)))
