"""Stage 2 of 6, gate: decide whether a run may go on. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.domain.checklist import (
    ChecklistItem,
    GateDecision,
    ItemAnswers,
    ItemName,
    ItemStanding,
    PersonName,
    Shown,
    SignOff,
)
from orchestrator.domain.environment import Environment
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import ChecklistName
from orchestrator.domain.verdict import Verdict

_NO_ANSWERS = ItemAnswers()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateContext:
    """What signatures are bound to and judged by, the same for every item of a gate.

    Attributes:
        about: The verdict of each step because of which the gate is asked at all.
    """

    run: str
    mode: str
    plan_digest: str
    gate: ChecklistName
    requester: PersonName
    environment: Environment
    about: Mapping[ItemName, Verdict] = field(default_factory=dict)


def evaluate_gate(
    context: GateContext,
    items: Sequence[ChecklistItem],
    answers: Mapping[ItemName, ItemAnswers],
    *,
    now: datetime,
) -> GateDecision:
    """Decide from the answers known at *now* (aware UTC) whether the gate is open.

    A gate opens only on evidence: an item without an answer, or with one older than the
    item's ``fresh_for``, is inconclusive, and a checklist without items never opens.
    """
    standings = tuple(_assess(context, item, items, answers, now) for item in items)
    return GateDecision(Verdict.worst_of(s.verdict for s in standings), standings)


def shown_for(
    context: GateContext,
    item: ChecklistItem,
    items: Sequence[ChecklistItem],
    answers: Mapping[ItemName, ItemAnswers],
) -> Shown:
    """Return what a person who signs *item* now has before their eyes."""
    return Shown(
        run=context.run,
        mode=context.mode,
        plan_digest=context.plan_digest,
        gate=context.gate,
        item=item,
        evidence={**context.about, **_verdicts(items, answers)},
    )


def _verdicts(
    items: Sequence[ChecklistItem], answers: Mapping[ItemName, ItemAnswers]
) -> Mapping[ItemName, Verdict]:
    return {
        item.item: _verdict_of(answers.get(item.item, _NO_ANSWERS).evidence)
        for item in items
        if item.probe is not None
    }


def stale_looks(
    items: Sequence[ChecklistItem], answers: Mapping[ItemName, ItemAnswers], *, now: datetime
) -> tuple[ChecklistItem, ...]:
    """Return the items whose probe has to look (again) before the gate can be judged."""
    return tuple(
        item
        for item in items
        if item.probe is not None
        and not _is_fresh(answers.get(item.item, _NO_ANSWERS).evidence, item.fresh_for, now)
    )


def reasons_not_to_sign(
    context: GateContext, item: ChecklistItem, by: PersonName, *, waives: bool
) -> tuple[str, ...]:
    """Return why *by* may not answer (or waive) *item*; empty when they may."""
    person = context.environment.people.get(by)
    if person is None:
        known = ", ".join(sorted(context.environment.people))
        return (f"{by} is not among the people of {context.environment.environment} ({known})",)
    reasons = []
    if waives and not item.is_waivable:
        reasons.append(f"{item.item} is a hard item and cannot be waived")
    if not waives and item.probe is not None:
        reasons.append(f"{item.item} is answered by a probe, not by a person")
    asked = _roles_asked(context, item)
    if not set(asked) & set(person.roles):
        reasons.append(f"{by} does not have the role {' or '.join(asked)}")
    if by == context.requester and not context.environment.policy.requester_may_sign:
        reasons.append(f"{by} requested this run, and the policy wants somebody else to sign")
    return tuple(reasons)


def _assess(
    context: GateContext,
    item: ChecklistItem,
    items: Sequence[ChecklistItem],
    answers: Mapping[ItemName, ItemAnswers],
    now: datetime,
) -> ItemStanding:
    known = answers.get(item.item, _NO_ANSWERS)
    valid: tuple[SignOff, ...] = ()
    if known.sign_offs:
        shown = shown_for(context, item, items, answers).digest
        valid = _valid_sign_offs(context, item, known.sign_offs, shown, now)
    if item.probe is not None:
        return _assess_look(context, item, known.evidence, valid, now)
    return _assess_signatures(item, valid)


def _assess_look(
    context: GateContext,
    item: ChecklistItem,
    evidence: Evidence | None,
    valid: Sequence[SignOff],
    now: datetime,
) -> ItemStanding:
    if evidence is None:
        return ItemStanding(item=item, verdict=Verdict.INCONCLUSIVE, reason="nobody has looked")
    if not _is_fresh(evidence, item.fresh_for, now):
        reason = f"the look at {evidence.at:%H:%M:%S} UTC is stale or postdated"
        return ItemStanding(item=item, verdict=Verdict.INCONCLUSIVE, reason=reason)
    if evidence.verdict in {Verdict.PASSED, Verdict.DEGRADED} or not item.is_waivable:
        return ItemStanding(item=item, verdict=evidence.verdict, reason=evidence.summary)
    waived = _waived(item, valid)
    if waived:
        reason = f"{waived}; {evidence.summary}"
        return ItemStanding(item=item, verdict=Verdict.DEGRADED, reason=reason)
    return ItemStanding(
        item=item,
        verdict=evidence.verdict,
        reason=f"{evidence.summary} ({_how_to_waive(item, valid)})",
        waits_for=_roles_asked(context, item),
    )


def _assess_signatures(item: ChecklistItem, valid: Sequence[SignOff]) -> ItemStanding:
    refusals = [s for s in valid if s.verdict is not Verdict.PASSED]
    if refusals:
        reason = f"{refusals[0].by} said no: {refusals[0].comment or 'no reason given'}"
        return ItemStanding(item=item, verdict=Verdict.FAILED, reason=reason)
    waived = _waived(item, valid)
    if waived:
        return ItemStanding(item=item, verdict=Verdict.DEGRADED, reason=waived)
    signers = sorted({s.by for s in valid})
    if len(signers) >= item.people:
        reason = "signed by " + ", ".join(signers)
        return ItemStanding(item=item, verdict=Verdict.PASSED, reason=reason)
    missing = item.people - len(signers)
    reason = f"waits for {missing} signature(s) of {item.role}"
    return ItemStanding(
        item=item, verdict=Verdict.INCONCLUSIVE, reason=reason, waits_for=(item.role,)
    )


def _roles_asked(context: GateContext, item: ChecklistItem) -> tuple[str, ...]:
    """Return whose people may sign *item*; for one that a probe answers, waive it."""
    if item.waive:
        return (item.waive.role,)
    return (item.role,) if item.role else context.environment.policy.start


def _waived(item: ChecklistItem, valid: Sequence[SignOff]) -> str:
    """Say who waived an item and why; nothing unless enough people did."""
    waivers = _waivers(valid)
    wanted = item.waive.people if item.waive else 1
    told = ", ".join(f"{s.by}: {s.comment}" for s in waivers)
    return f"waived by {told}" if len(waivers) >= wanted else ""


def _how_to_waive(item: ChecklistItem, valid: Sequence[SignOff]) -> str:
    if item.waive is None:
        return "may be waived"
    so_far = ", ".join(s.by for s in _waivers(valid)) or "nobody"
    return f"may be waived by {item.waive.people} of {item.waive.role}; so far by {so_far}"


def _waivers(valid: Sequence[SignOff]) -> tuple[SignOff, ...]:
    return tuple(s for s in valid if s.is_waiver and s.verdict is Verdict.PASSED)


def _valid_sign_offs(
    context: GateContext,
    item: ChecklistItem,
    sign_offs: Sequence[SignOff],
    shown: str,
    now: datetime,
) -> tuple[SignOff, ...]:
    newest = {s.by: s for s in sign_offs}
    return tuple(
        s
        for s in newest.values()
        if s.shown == shown
        and timedelta(0) <= now - s.at <= _shelf_life(context, item)
        and not reasons_not_to_sign(context, item, s.by, waives=s.is_waiver)
    )


def _shelf_life(context: GateContext, item: ChecklistItem) -> timedelta:
    """Return how long a signature counts: people who must agree need longer than a probe."""
    return context.environment.policy.sign_off_within if item.waive else item.fresh_for


def _is_fresh(evidence: Evidence | None, fresh_for: timedelta, now: datetime) -> bool:
    return evidence is not None and timedelta(0) <= now - evidence.at <= fresh_for


def _verdict_of(evidence: Evidence | None) -> Verdict:
    return Verdict.INCONCLUSIVE if evidence is None else evidence.verdict
