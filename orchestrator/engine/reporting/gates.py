"""Gates: every question, its answer, and who signed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from orchestrator.domain.checklist import (
    Checklist,
    ChecklistItem,
    ItemAnswers,
    ItemName,
    ItemStanding,
    SignOff,
)
from orchestrator.domain.environment import Environment
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import ChecklistName
from orchestrator.domain.record import GateProgress, GateRecord, ItemRecord, Signature
from orchestrator.domain.run import (
    Entry,
    GateOpened,
    GateRefused,
    GateWaits,
    ItemLookedAt,
    ItemSigned,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.folding import fold
from orchestrator.engine.gating import evaluate_gate
from orchestrator.engine.reporting.steps import look_of
from orchestrator.engine.transitions import gate_context

_NO_ANSWERS = ItemAnswers()
_ABOUT_GATES = (ItemLookedAt, ItemSigned, GateWaits, GateOpened, GateRefused)


def recount_gates(plan: Plan, entries: Sequence[Entry]) -> tuple[GateRecord, ...]:
    """Return every gate of *plan*, in order, those that were not reached too.

    One that is asked only if a fence is not proved is told only if it was asked.
    """
    told = (_recount(plan, gate, entries) for gate in plan.gates)
    return tuple(
        gate
        for gate in told
        if gate.gate not in plan.fence_gates or gate.progress is not GateProgress.PENDING
    )


def _recount(plan: Plan, gate: ChecklistName, entries: Sequence[Entry]) -> GateRecord:
    about = [e for e in entries if isinstance(e.event, _ABOUT_GATES) and e.event.gate == gate]
    last = _newest_word(about)
    is_decided = last is not None and isinstance(last.event, GateOpened | GateRefused)
    decided = last if is_decided else None
    known = [e for e in entries if decided is None or e.seq <= decided.seq]
    items = _recount_items(plan, gate, known)
    return GateRecord(
        gate=gate,
        title=plan.checklists[gate].title,
        progress=_progress(about, last),
        verdict=_verdict(last, items),
        items=items,
        obstacles=_obstacles(last),
        reached=about[0].at if about else None,
        decided=decided.at if decided else None,
    )


def _newest_word(about: Sequence[Entry]) -> Entry | None:
    words = [e for e in about if isinstance(e.event, GateOpened | GateRefused | GateWaits)]
    return words[-1] if words else None


def _progress(about: Sequence[Entry], last: Entry | None) -> GateProgress:
    match last.event if last else None:
        case GateOpened():
            return GateProgress.OPENED
        case GateRefused():
            return GateProgress.REFUSED
        case GateWaits():
            return GateProgress.WAITING
        case _:
            return GateProgress.CHECKING if about else GateProgress.PENDING


def _verdict(last: Entry | None, items: Sequence[ItemRecord]) -> Verdict:
    if last is not None and isinstance(last.event, GateOpened):
        return last.event.verdict
    worst = Verdict.worst_of(item.verdict for item in items)
    # Without the word of the engine a gate is not open, whatever its items say.
    return Verdict.FAILED if worst is Verdict.FAILED else Verdict.INCONCLUSIVE


def _obstacles(last: Entry | None) -> tuple[str, ...]:
    if last is not None and isinstance(last.event, GateRefused | GateWaits):
        return last.event.obstacles
    return ()


def _recount_items(
    plan: Plan, gate: ChecklistName, known: Sequence[Entry]
) -> tuple[ItemRecord, ...]:
    checklist = plan.checklists[gate]
    if not known:
        return _unanswered(plan, checklist)
    state = fold(RunState(run=known[0].run), known)
    answers = state.answers.get(gate, {})
    now = _newest_answer(answers)
    if state.created is None or now is None:
        return _unanswered(plan, checklist)
    decision = evaluate_gate(gate_context(plan, state, gate), checklist.items, answers, now=now)
    return tuple(
        _item(standing, answers.get(standing.item.item, _NO_ANSWERS), plan.environment)
        for standing in decision.standings
    )


def _newest_answer(answers: Mapping[ItemName, ItemAnswers]) -> datetime | None:
    """Return the time to judge answers at.

    Not the time at which the decision was written down: that is a little later, and an answer
    that was fresh when the gate opened must not look stale in the report.
    """
    times = [a.evidence.at for a in answers.values() if a.evidence]
    times += [s.at for a in answers.values() for s in a.sign_offs]
    return max(times, default=None)


def _unanswered(plan: Plan, checklist: Checklist) -> tuple[ItemRecord, ...]:
    return tuple(
        _item(_not_reached(item), _NO_ANSWERS, plan.environment) for item in checklist.items
    )


def _not_reached(item: ChecklistItem) -> ItemStanding:
    return ItemStanding(item=item, verdict=Verdict.INCONCLUSIVE, reason="not reached")


def _item(standing: ItemStanding, known: ItemAnswers, environment: Environment) -> ItemRecord:
    item = standing.item
    return ItemRecord(
        item=item.item,
        ask=item.ask,
        why=item.why,
        level=item.level,
        answered_by="probe" if item.probe else item.role,
        verdict=standing.verdict,
        answer=standing.reason,
        evidence=look_of(known.evidence) if known.evidence else None,
        signatures=tuple(_signature(s, environment) for s in known.sign_offs),
    )


def _signature(sign_off: SignOff, environment: Environment) -> Signature:
    person = environment.people.get(sign_off.by)
    return Signature(
        by=sign_off.by,
        name=person.name if person else "",
        at=sign_off.at,
        verdict=sign_off.verdict,
        comment=sign_off.comment,
        is_waiver=sign_off.is_waiver,
        shown=sign_off.shown,
    )
