"""Stage 3 of 6, execute: drive a run to its end, surviving our own death at any line.

Everything is decided by `transitions.next_move`; here a decision is carried out: journal the
intent, act, look, journal the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from orchestrator.domain.checklist import ChecklistItem, PersonName
from orchestrator.domain.decision import (
    CheckPriorState,
    Deed,
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
from orchestrator.domain.errors import JournalBroken, JournalConflict, TargetUnavailable
from orchestrator.domain.evidence import Evidence, combine
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import Action, Probe, Step, Undo
from orchestrator.domain.run import (
    DriverStarted,
    ItemLookedAt,
    Outcome,
    PriorStateChecked,
    RunHeld,
    RunId,
    StepFinished,
    StepIntended,
    UndoFinished,
    UndoIntended,
    WatchFailed,
    WatchStarted,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.concluding import conclude
from orchestrator.engine.guarding import Guard
from orchestrator.engine.holding import holds
from orchestrator.engine.looking import bind_inputs, look
from orchestrator.engine.ports import ActionReport, Attempt, World
from orchestrator.engine.recording import Logbook
from orchestrator.engine.transitions import next_move
from orchestrator.engine.verifying import measure_run, verify_run

LOOK_LIMIT = timedelta(seconds=10)
"""Time for one round of read-only looks; one that takes longer is inconclusive."""
PRIOR_STATE_LIMIT = timedelta(seconds=30)
BETWEEN_GLANCES = timedelta(milliseconds=100)
"""How often the journal is read while only people can move the run on."""
SETTLED = "interrupted; settled by looking"

OUTCOMES: Mapping[Verdict, Outcome] = {
    Verdict.PASSED: Outcome.DONE,
    Verdict.DEGRADED: Outcome.DONE,
    Verdict.FAILED: Outcome.FAILED,
    Verdict.INCONCLUSIVE: Outcome.UNKNOWN,
}


def drive(plan: Plan, run: RunId, world: World, started: DriverStarted) -> RunState:
    """Take *run* from wherever its journal says it stands to its end, or to a hold.

    Raises:
        JournalConflict: If another driver has taken the run.
        JournalBroken: If the run is not for this plan, or the journal cannot be written; nothing
            was mutated after that.
    """
    return _Driver(plan, run, world).drive(started)


class _Driver:
    def __init__(self, plan: Plan, run: RunId, world: World) -> None:
        self._plan = plan
        self._world = world
        self._log = Logbook(world.journal, run)
        self._owner = _owner_of(plan, self._log.state)
        self._guard = Guard(plan, world, within=LOOK_LIMIT)

    def drive(self, started: DriverStarted) -> RunState:
        self._log.take_over(started)
        while True:
            self._log.catch_up()
            decision = next_move(self._plan, self._log.state, now=self._world.clock.now())
            if isinstance(decision, Rest):
                return self._log.state
            # Others wrote first: decide again. Another driver shows when we catch up.
            with suppress(JournalConflict):
                self._carry_out(decision)

    def _carry_out(self, decision: Deed) -> None:  # noqa: C901 - one arm a decision
        match decision:
            case StartWatch():
                self._log.record(self._start_watch())
            case LookAtItems():
                self._look_at_items(decision)
            case NoteGate():
                self._log.intend(decision.event)
            case WaitForPeople():
                self._world.clock.pause(BETWEEN_GLANCES)
            case StartStep():
                self._start_step(decision.step, decision.attempt)
            case SettleStep():
                self._settle_step(decision.step, decision.attempt)
            case UndoStep():
                self._undo_step(decision)
            case CheckPriorState():
                self._check_prior_state()
            case Verify():
                verify_run(self._plan, self._log.state, self._world, self._log.record)
            case Measure():
                self._log.record(measure_run(self._log.state, self._world)[1])
            case Hold():
                self._hold(decision)
            case End():
                self._end()
            case _:
                assert_never(decision)

    def _start_watch(self) -> WatchStarted | WatchFailed:
        try:
            return self._world.canary.start()
        except TargetUnavailable as error:
            return WatchFailed(reason=str(error))

    def _look_at_items(self, decision: LookAtItems) -> None:
        hasty = [item for item in decision.items if not item.patience]
        patient = [item for item in decision.items if item.patience]
        longest = max((item.patience for item in patient), default=timedelta(0))
        looks = [
            *self._look(_probes_of(hasty), within=LOOK_LIMIT),
            *self._look(_probes_of(patient), within=longest, patiently=True),
        ]
        self._log.record(
            *(
                ItemLookedAt(gate=decision.gate, item=item.item, evidence=evidence)
                for item, evidence in zip([*hasty, *patient], looks, strict=True)
            )
        )

    def _start_step(self, step: Step, attempt: int) -> None:
        intent = StepIntended(step=step.name, attempt=attempt)
        before = self._guard.check_before(step, self._log.state)
        if before is None:
            self._log.intend(intent)
        elif all(map(holds, before.evidence.values())):
            self._log.intend(before, intent)
        else:
            self._log.intend(before)
            return
        report = self._perform(step.action, step, attempt, step.time_limit)
        has_failed = report.outcome is Outcome.FAILED
        looks = self._look_for_effect(step, patiently=not has_failed)
        kept_as = self._keep_output(f"{step.name}-{attempt}.txt", report.output)
        self._finish_step(step, attempt, looks, performed=report.detail, output=kept_as)

    def _settle_step(self, step: Step, attempt: int) -> None:
        looks = self._look_for_effect(step, patiently=True)
        self._finish_step(step, attempt, looks, performed=SETTLED, settled=True)

    def _finish_step(
        self,
        step: Step,
        attempt: int,
        looks: Sequence[Evidence],
        *,
        performed: str,
        output: str = "",
        settled: bool = False,
    ) -> None:
        evidence = combine(looks, now=self._world.clock.now())
        finished = StepFinished(
            step=step.name,
            attempt=attempt,
            outcome=OUTCOMES[evidence.verdict],
            performed=performed,
            evidence=evidence,
            output=output,
            settled=settled,
        )
        self._log.record(finished, self._guard.check_after(step, self._log.state))

    def _undo_step(self, decision: UndoStep) -> None:
        step, undo = decision.step, decision.undo
        if decision.was_begun:
            evidence = self._look_whether_undone(undo)
            if evidence.verdict is not Verdict.FAILED:
                self._finish_undo(step, SETTLED, evidence)
                return
        self._log.intend(UndoIntended(step=step.name))
        report = self._perform(undo.action, step, 0, undo.time_limit)
        self._finish_undo(step, report.detail, self._look_whether_undone(undo))

    def _look_whether_undone(self, undo: Undo) -> Evidence:
        looks = self._look(undo.expect, within=undo.time_limit, patiently=True)
        return combine(looks, now=self._world.clock.now())

    def _finish_undo(self, step: Step, performed: str, evidence: Evidence) -> None:
        outcome = OUTCOMES[evidence.verdict]
        self._log.record(
            UndoFinished(step=step.name, outcome=outcome, performed=performed, evidence=evidence)
        )

    def _check_prior_state(self) -> None:
        looks = self._look(self._plan.prior_state, within=PRIOR_STATE_LIMIT, patiently=True)
        evidence = combine(looks, now=self._world.clock.now())
        self._log.record(PriorStateChecked(evidence=evidence))

    def _hold(self, decision: Hold) -> None:
        self._log.intend(
            RunHeld(
                owner=self._owner,
                reason=decision.reason,
                next_action=decision.next_action,
                exit_code=decision.exit_code,
            )
        )

    def _end(self) -> None:
        self._log.intend(conclude(self._plan, self._log.state))
        self._world.locks.release(self._log.state.run)

    def _perform(
        self, action: Action, step: Step, attempt: int, within: timedelta
    ) -> ActionReport:
        identity = Attempt(run=self._log.state.run, step=step.name, number=attempt)
        try:
            inputs = bind_inputs(action.inputs, self._log.state.kept)
        except KeyError as missing:
            return ActionReport(outcome=Outcome.FAILED, detail=f"not tried: nobody kept {missing}")
        actor = self._world.actors[action.kind]
        try:
            return actor.perform(replace(action, inputs=inputs), identity, within=within)
        except TargetUnavailable as error:
            return ActionReport(outcome=Outcome.FAILED, detail=f"not tried: {error}")

    def _look_for_effect(self, step: Step, *, patiently: bool) -> Sequence[Evidence]:
        """Look for the effect; once is enough if the action itself says that it failed."""
        return self._look((*step.expect, *step.prove), within=step.time_limit, patiently=patiently)

    def _look(
        self, probes: Sequence[Probe], *, within: timedelta, patiently: bool = False
    ) -> Sequence[Evidence]:
        kept = self._log.state.kept
        return look(self._world, probes, kept, within=within, patiently=patiently)

    def _keep_output(self, name: str, output: str) -> str:
        return self._world.archive.keep(name, output) if output else ""


def _owner_of(plan: Plan, state: RunState) -> PersonName:
    """Return who asked for the run, if it is for this very plan."""
    created = state.created
    if created is None or created.plan_digest != plan.digest:
        raise JournalBroken(f"run {state.run} was not created for the plan {plan.digest[:12]}")
    return created.requester


def _probes_of(items: Sequence[ChecklistItem]) -> list[Probe]:
    return [item.probe for item in items if item.probe is not None]
