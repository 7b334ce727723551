"""Stage 3 of 6, execute: drive a run to its end, surviving our own death at any line.

Everything is decided by `transitions.next_move`; here a decision is carried out: journal the
intent, act, look, journal the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from orchestrator.domain.checklist import ChecklistItem
from orchestrator.domain.errors import JournalConflict, TargetUnavailable
from orchestrator.domain.evidence import Evidence, combine
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import Action, Probe, Step
from orchestrator.domain.run import (
    DriverStarted,
    Event,
    InvariantsChecked,
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
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.binding import bind_kept
from orchestrator.engine.concluding import conclude, judge_invariant
from orchestrator.engine.folding import fold
from orchestrator.engine.ports import ActionReport, Attempt, World
from orchestrator.engine.transitions import (
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
    next_move,
)
from orchestrator.engine.verifying import measure_run, verify_run

LOOK_LIMIT = timedelta(seconds=10)
"""Time for one round of read-only looks; one that takes longer is inconclusive."""
PRIOR_STATE_LIMIT = timedelta(seconds=30)
BETWEEN_GLANCES = timedelta(milliseconds=100)
"""How often the journal is read while only people can move the run on."""
INVARIANTS_FRESH_FOR_S = 1.0
"""The look after a step also serves as the one before the next, if that follows at once."""

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
        JournalBroken: If the journal cannot be written; nothing was mutated after that.
    """
    return _Driver(plan, run, world).drive(started)


class _Driver:
    def __init__(self, plan: Plan, run: RunId, world: World) -> None:
        self._plan = plan
        self._world = world
        self._state = RunState(run=run)
        self._invariants_held_at = float("-inf")

    def drive(self, started: DriverStarted) -> RunState:
        self._catch_up()
        self._record(started)
        while True:
            self._catch_up()
            decision = next_move(self._plan, self._state, now=self._world.clock.now())
            if isinstance(decision, Rest):
                return self._state
            try:
                self._carry_out(decision)
            except JournalConflict:
                self._refuse_if_superseded()

    def _carry_out(self, decision: Decision) -> None:  # noqa: C901 - one arm a decision
        match decision:
            case StartWatch():
                self._start_watch()
            case LookAtItems():
                self._look_at_items(decision)
            case NoteGate():
                self._intend(decision.event)
            case WaitForPeople():
                self._world.clock.pause(BETWEEN_GLANCES)
            case StartStep():
                self._start_step(decision.step, decision.attempt)
            case SettleStep():
                self._settle_step(decision.step, decision.attempt)
            case UndoStep():
                self._undo_step(decision.step)
            case CheckPriorState():
                self._check_prior_state()
            case Verify():
                verify_run(self._plan, self._state, self._world, self._record)
            case Measure():
                measure_run(self._state, self._world, self._record)
            case Hold():
                self._hold(decision)
            case End():
                self._end()
            case Rest():
                pass
            case _:
                assert_never(decision)

    def _start_watch(self) -> None:
        try:
            self._record(self._world.canary.start())
        except TargetUnavailable as error:
            self._record(WatchFailed(reason=str(error)))

    def _look_at_items(self, decision: LookAtItems) -> None:
        hasty = [item for item in decision.items if not item.patience]
        patient = [item for item in decision.items if item.patience]
        longest = max((item.patience for item in patient), default=timedelta(0))
        looks = [
            *self._look(_probes_of(hasty), within=LOOK_LIMIT),
            *self._look(_probes_of(patient), within=longest, patiently=True),
        ]
        self._record(
            *(
                ItemLookedAt(gate=decision.gate, item=item.item, evidence=evidence)
                for item, evidence in zip([*hasty, *patient], looks, strict=True)
            )
        )

    def _start_step(self, step: Step, attempt: int) -> None:
        intent = StepIntended(step=step.name, attempt=attempt)
        before = self._check_invariants_unless_fresh(step)
        if before is None:
            self._intend(intent)
        elif _all_passed(before):
            self._intend(before, intent)
        else:
            self._intend(before)
            return
        report = self._perform(step.action, step, attempt, step.time_limit)
        looks = self._look_for_effect(step, report)
        self._finish_step(step, attempt, report.detail, looks, report.output)

    def _settle_step(self, step: Step, attempt: int) -> None:
        looks = self._look((*step.expect, *step.prove), within=step.time_limit, patiently=True)
        self._finish_step(step, attempt, "interrupted; settled by looking", looks, "")

    def _finish_step(
        self, step: Step, attempt: int, performed: str, looks: Sequence[Evidence], output: str
    ) -> None:
        evidence = combine(looks, now=self._world.clock.now())
        kept_as = self._keep_output(f"{step.name}-{attempt}.txt", output)
        finished = StepFinished(
            step=step.name,
            attempt=attempt,
            outcome=OUTCOMES[evidence.verdict],
            performed=performed,
            evidence=evidence,
            output=kept_as,
        )
        self._record(finished, self._check_invariants(step, "after"))

    def _undo_step(self, step: Step) -> None:
        if step.undo is None:
            raise ValueError(f"step {step.name} has no undo")
        self._intend(UndoIntended(step=step.name))
        report = self._perform(step.undo.action, step, 0, step.undo.time_limit)
        looks = self._look(step.undo.expect, within=step.undo.time_limit, patiently=True)
        evidence = combine(looks, now=self._world.clock.now())
        self._record(
            UndoFinished(
                step=step.name,
                outcome=OUTCOMES[evidence.verdict],
                performed=report.detail,
                evidence=evidence,
            )
        )

    def _check_prior_state(self) -> None:
        looks = self._look(self._plan.prior_state, within=PRIOR_STATE_LIMIT, patiently=True)
        self._record(PriorStateChecked(evidence=combine(looks, now=self._world.clock.now())))

    def _hold(self, decision: Hold) -> None:
        if self._state.created is None:
            raise ValueError("a run that was never created cannot be held")
        self._record(
            RunHeld(
                owner=self._state.created.requester,
                reason=decision.reason,
                next_action=decision.next_action,
                exit_code=decision.exit_code,
            )
        )

    def _end(self) -> None:
        self._record(conclude(self._plan, self._state))
        self._world.locks.release(self._state.run)

    def _perform(
        self, action: Action, step: Step, attempt: int, within: timedelta
    ) -> ActionReport:
        identity = Attempt(run=self._state.run, step=step.name, number=attempt)
        try:
            return self._world.actors[action.kind].perform(action, identity, within=within)
        except TargetUnavailable as error:
            return ActionReport(outcome=Outcome.FAILED, detail=f"not tried: {error}")

    def _look_for_effect(self, step: Step, report: ActionReport) -> Sequence[Evidence]:
        """Look for the effect; patiently, unless the action itself says that it failed."""
        patiently = report.outcome is not Outcome.FAILED
        return self._look((*step.expect, *step.prove), within=step.time_limit, patiently=patiently)

    def _look(
        self, probes: Sequence[Probe], *, within: timedelta, patiently: bool = False
    ) -> Sequence[Evidence]:
        if not probes:
            return []
        bound: list[Probe] = []
        for probe in probes:
            try:
                bound.append(_bind_probe(probe, self._state.kept))
            except KeyError as missing:
                return [self._nothing_kept(missing)] * len(probes)
        look = self._world.looker.look_until if patiently else self._world.looker.look
        return look(bound, within=within)

    def _nothing_kept(self, missing: KeyError) -> Evidence:
        return Evidence(
            verdict=Verdict.INCONCLUSIVE,
            summary=f"no earlier probe kept {missing}",
            at=self._world.clock.now(),
        )

    def _check_invariants_unless_fresh(self, step: Step) -> InvariantsChecked | None:
        age_s = self._world.clock.monotonic() - self._invariants_held_at
        return None if age_s < INVARIANTS_FRESH_FOR_S else self._check_invariants(step, "before")

    def _check_invariants(self, step: Step, when: str) -> InvariantsChecked:
        looked_at = self._world.clock.monotonic()
        invariants = self._plan.invariants
        looks = iter(
            self._look(
                [probe for invariant in invariants for probe in invariant.probes.values()],
                within=LOOK_LIMIT,
            )
        )
        now = self._world.clock.now()
        checked = InvariantsChecked(
            step=step.name,
            when=when,
            evidence={
                invariant.invariant: judge_invariant(
                    invariant, {member: next(looks) for member in invariant.probes}, now=now
                )
                for invariant in invariants
            },
        )
        self._invariants_held_at = looked_at if _all_passed(checked) else float("-inf")
        return checked

    def _keep_output(self, name: str, output: str) -> str:
        return self._world.archive.keep(name, output) if output else ""

    def _catch_up(self) -> None:
        run = self._state.run
        self._state = fold(self._state, self._world.journal.read(run, after=self._state.seq))

    def _intend(self, *events: Event) -> None:
        """Write what is about to be done; if others wrote meanwhile, nothing may be done.

        Raises:
            JournalConflict: Decide again.
        """
        written = self._world.journal.append(self._state.run, after=self._state.seq, events=events)
        self._state = fold(self._state, written)

    def _record(self, *events: Event) -> None:
        """Write what has happened, behind whatever others wrote meanwhile."""
        while True:
            try:
                return self._intend(*events)
            except JournalConflict:
                self._refuse_if_superseded()
                self._catch_up()

    def _refuse_if_superseded(self) -> None:
        """Raise if what others wrote is the start of another driver; signatures are welcome."""
        newer = self._world.journal.read(self._state.run, after=self._state.seq)
        if any(isinstance(entry.event, DriverStarted) for entry in newer):
            raise JournalConflict(f"another driver has taken run {self._state.run}")


def _probes_of(items: Sequence[ChecklistItem]) -> list[Probe]:
    return [item.probe for item in items if item.probe is not None]


def _bind_probe(probe: Probe, kept: Mapping[str, str]) -> Probe:
    bound = {name: bind_kept(value, kept) for name, value in probe.inputs.items()}
    return probe if bound == dict(probe.inputs) else replace(probe, inputs=bound)


def _all_passed(checked: InvariantsChecked) -> bool:
    return all(evidence.verdict is Verdict.PASSED for evidence in checked.evidence.values())
