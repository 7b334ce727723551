"""A second opinion on a journal: what must hold of every run, whatever happened to it.

Says the rules once more, in other words than the engine, from the journal and what arrived at the
target. The numbers are those of the invariants for model-based tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from orchestrator.domain.checklist import ChecklistItem, Level, Shown, SignOff
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import ChecklistName, GateStop, StepName
from orchestrator.domain.run import (
    AbortRequested,
    DriverStarted,
    Entry,
    ExitCode,
    GateOpened,
    ItemLookedAt,
    ItemSigned,
    Outcome,
    RetryRequested,
    RunEnded,
    RunHeld,
    StepFinished,
    StepIntended,
    UndoIntended,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.folding import fold
from tests.support.recoveries import Rehearsal


def check_run(rehearsal: Rehearsal) -> None:
    """Fail if the run broke any rule so far."""
    entries = rehearsal.entries
    _check_numbers(entries)
    _check_attempts(rehearsal)
    _check_gates(rehearsal)
    _check_abort(entries)
    _check_repetitions(rehearsal)
    _check_unknowns(entries)
    _check_fold(rehearsal)
    _check_no_return(rehearsal)


def check_rest(rehearsal: Rehearsal) -> None:
    """Fail unless a run that its driver left alone has ended truly, or has an owner (15)."""
    ended = [e.event for e in rehearsal.entries if isinstance(e.event, RunEnded)]
    if not ended:
        last = rehearsal.entries[-1].event
        assert isinstance(last, RunHeld), f"neither ended nor held, but {last}"
        assert last.owner
        assert last.next_action
        return
    assert len(ended) == 1
    facts = rehearsal.target.facts
    if ended[0].exit_code is ExitCode.VERIFIED:
        assert (facts["new"], facts["pooler"], facts["traffic"]) == ("primary", "new", "flowing")
        assert facts["old"] != "primary"
    if ended[0].exit_code in {ExitCode.ROLLED_BACK, ExitCode.REFUSED}:
        assert (facts["new"], facts["traffic"]) == ("standby", "flowing")
        assert facts["old"] == "primary"


def _check_numbers(entries: Sequence[Entry]) -> None:
    """Nothing that was acknowledged is missing (6)."""
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


def _check_attempts(rehearsal: Rehearsal) -> None:
    """One start for each attempt, and one intent (2, 4, 6)."""
    intents = Counter((e.step, e.attempt) for e in rehearsal.all_of(StepIntended))
    arrivals = Counter(
        (a.attempt.step, a.attempt.number)
        for a in rehearsal.target.arrivals
        if a.attempt.number > 0
    )
    assert all(count == 1 for count in intents.values()), intents
    assert all(count == 1 for count in arrivals.values()), arrivals
    assert set(arrivals) <= set(intents)


def _check_gates(rehearsal: Rehearsal) -> None:
    """No step starts before every gate in front of it was opened, on evidence (1)."""
    entries, moves = rehearsal.entries, (GateStop(gate=rehearsal.plan.gate), *rehearsal.plan.steps)
    for index, entry in enumerate(entries):
        if isinstance(entry.event, GateOpened):
            _check_opening(rehearsal, entry.event.gate, entries[:index], entry.at)
        if isinstance(entry.event, StepIntended):
            step = entry.event.step
            for move in moves:
                if not isinstance(move, GateStop):
                    if move.name == step:
                        break
                    continue
                assert _was_opened_for(move.gate, entries[:index]), f"{step} before {move.gate}"


def _was_opened_for(gate: ChecklistName, before: Sequence[Entry]) -> bool:
    """Tell whether *gate* was opened, and by the driver that began the step behind it."""
    opened = [i for i, e in enumerate(before) if _opens(e, gate)]
    if not opened:
        return False
    behind = before[opened[-1] :]
    first = next((i for i, e in enumerate(behind) if isinstance(e.event, StepIntended)), None)
    return not any(isinstance(e.event, DriverStarted) for e in behind[:first])


def _opens(entry: Entry, gate: ChecklistName) -> bool:
    return isinstance(entry.event, GateOpened) and entry.event.gate == gate


def _check_opening(
    rehearsal: Rehearsal, gate: ChecklistName, before: Sequence[Entry], at: datetime
) -> None:
    items = rehearsal.plan.checklists[gate].items
    assert items
    looks = {item.item: _newest_look(gate, item, before) for item in items if item.probe}
    for item in items:
        shown = Shown(
            run=rehearsal.state.run,
            mode="live",
            plan_digest=rehearsal.plan.digest,
            gate=gate,
            item=item,
            evidence={
                name: look.verdict if look else Verdict.INCONCLUSIVE
                for name, look in looks.items()
            },
        )
        signed = _signatures(rehearsal, gate, item, shown.digest, before, at)
        waived = item.level is Level.SOFT and any(s.is_waiver for s in signed)
        if item.probe:
            look = looks[item.item]
            assert look is not None
            assert look.at <= at <= look.at + item.fresh_for, f"{item.item} is stale"
            assert waived or look.verdict in {Verdict.PASSED, Verdict.DEGRADED}
        else:
            yes = {s.by for s in signed if s.verdict is Verdict.PASSED and not s.is_waiver}
            assert waived or len(yes) >= item.people, f"{item.item} is not signed"


def _newest_look(
    gate: ChecklistName, item: ChecklistItem, before: Sequence[Entry]
) -> Evidence | None:
    looks = [
        e.event.evidence
        for e in before
        if isinstance(e.event, ItemLookedAt) and (e.event.gate, e.event.item) == (gate, item.item)
    ]
    return looks[-1] if looks else None


def _signatures(
    rehearsal: Rehearsal,
    gate: ChecklistName,
    item: ChecklistItem,
    shown: str,
    before: Sequence[Entry],
    at: datetime,
) -> list[SignOff]:
    people = rehearsal.plan.environment.people
    wanted = {item.role} if item.role else set(rehearsal.plan.environment.policy.start)
    return [
        e.event.sign_off
        for e in before
        if isinstance(e.event, ItemSigned)
        and (e.event.gate, e.event.item) == (gate, item.item)
        and e.event.sign_off.shown == shown
        and e.event.sign_off.at <= at <= e.event.sign_off.at + item.fresh_for
        and e.event.sign_off.by in people
        and e.event.sign_off.by != "ada"
        and wanted & set(people[e.event.sign_off.by].roles)
    ]


def _check_abort(entries: Sequence[Entry]) -> None:
    """Nothing is begun after an abort (11)."""
    aborted = [e.seq for e in entries if isinstance(e.event, AbortRequested)]
    begun = [e.seq for e in entries if isinstance(e.event, StepIntended)]
    if aborted and begun:
        assert max(begun) < min(aborted)


def _check_repetitions(rehearsal: Rehearsal) -> None:
    """Before a step is begun again lies evidence that it had no effect, or a person (3)."""
    for step in {e.step for e in rehearsal.all_of(StepIntended)}:
        is_repeatable = rehearsal.plan.step(step).repeatable
        story = [e.event for e in rehearsal.entries if _concerns(e, step)]
        for earlier, later in pairwise(story):
            if isinstance(later, StepIntended):
                lost = isinstance(earlier, StepFinished) and earlier.outcome is Outcome.FAILED
                allowed = isinstance(earlier, RetryRequested)
                assert allowed or (lost and is_repeatable), f"{earlier} before {later}"


def _check_unknowns(entries: Sequence[Entry]) -> None:
    """An unknown outcome is left by a look of a later driver, by a person, or by an undo (12)."""
    steps = {e.event.step for e in entries if isinstance(e.event, StepFinished)}
    for step in steps:
        story = [e for e in entries if _concerns(e, step)]
        for earlier, later in pairwise(story):
            if isinstance(earlier.event, StepFinished) and earlier.event.outcome == "unknown":
                by_look = isinstance(later.event, StepFinished) and later.event.settled
                by_person = isinstance(later.event, RetryRequested)
                assert by_look or by_person or isinstance(later.event, UndoIntended), later


def _concerns(entry: Entry, step: StepName) -> bool:
    match entry.event:
        case StepIntended() | StepFinished() | RetryRequested() | UndoIntended() as event:
            return event.step == step
        case _:
            return False


def _check_fold(rehearsal: Rehearsal) -> None:
    """State is a fold of the journal, entry by entry or all at once (10)."""
    state = RunState(run=rehearsal.state.run)
    for entry in rehearsal.entries:
        state = fold(state, [entry])
    assert state == rehearsal.state


def _check_no_return(rehearsal: Rehearsal) -> None:
    """Nothing is taken back behind the point of no return, and nothing begun after that."""
    undone = [e.seq for e in rehearsal.entries if isinstance(e.event, UndoIntended)]
    begun = [e for e in rehearsal.entries if isinstance(e.event, StepIntended)]
    if undone:
        assert begun[-1].seq < undone[0], "begun after something was taken back"
        assert not any(
            rehearsal.plan.step(step.step).point_of_no_return
            for step in rehearsal.all_of(StepIntended)
        ), "taken back behind the point of no return"
