from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.checklist import (
    ChecklistItem,
    GateDecision,
    ItemAnswers,
    ItemName,
    Level,
    PersonName,
    SignOff,
    Waive,
)
from orchestrator.domain.environment import Person
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.gating import (
    GateContext,
    evaluate_gate,
    reasons_not_to_sign,
    shown_for,
    stale_looks,
)
from tests.support.builders import (
    ADA,
    GRACE,
    NOON,
    PREFLIGHT,
    a_sign_off,
    an_item,
    some_evidence,
)
from tests.support.recoveries import LIN, a_lab, people

AN_HOUR = timedelta(hours=1)
LOOK = an_item("in-sync")
SOFT = an_item("backup-recent", level=Level.SOFT)
SIGN = an_item("approved", role="database-owner")
SOFT_SIGN = an_item("announced", role="database-owner", level=Level.SOFT)
WAIVABLE = replace(an_item("same-version"), waive=Waive(role="database-owner", people=2))
MARY = PersonName("mary")
CONTEXT = GateContext(
    run="r-1",
    mode="live",
    plan_digest="ab" * 32,
    gate=PREFLIGHT,
    requester=ADA,
    environment=replace(
        a_lab(), people={**people(), MARY: Person(name="Mary Shaw", roles=("database-owner",))}
    ),
)


def looked(verdict: Verdict = Verdict.PASSED, *, at: datetime = NOON) -> ItemAnswers:
    return ItemAnswers(evidence=some_evidence(verdict, f"was {verdict}", at=at))


def _shown(
    item: ChecklistItem,
    items: list[ChecklistItem],
    answers: Mapping[ItemName, ItemAnswers],
    context: GateContext = CONTEXT,
) -> str:
    return shown_for(context, item, items, answers).digest


def _signed(item: ChecklistItem, *sign_offs: SignOff) -> ItemAnswers:
    shown = _shown(item, [item], {})
    return ItemAnswers(sign_offs=tuple(replace(s, shown=shown) for s in sign_offs))


def _decide(
    items: list[ChecklistItem], answers: Mapping[ItemName, ItemAnswers], now: datetime = NOON
) -> GateDecision:
    return evaluate_gate(CONTEXT, items, answers, now=now)


def test_gate_opens_on_a_fresh_pass() -> None:
    decision = _decide([LOOK], {LOOK.item: looked()})

    assert decision.is_open
    assert decision.verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("age", "is_open"),
    [
        pytest.param(timedelta(0), True, id="just now"),
        pytest.param(AN_HOUR, True, id="exactly at its shelf life"),
        pytest.param(AN_HOUR + timedelta(microseconds=1), False, id="just past it"),
        pytest.param(timedelta(microseconds=-1), False, id="from the future"),
    ],
)
def test_look_counts_until_its_shelf_life_ends(age: timedelta, is_open: bool) -> None:
    answers = {LOOK.item: looked(at=NOON - age)}

    assert _decide([LOOK], answers).is_open is is_open
    assert stale_looks([LOOK], answers, now=NOON) == (() if is_open else (LOOK,))


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.FAILED])
def test_hard_item_that_did_not_pass_blocks_for_good(verdict: Verdict) -> None:
    decision = _decide([LOOK], {LOOK.item: looked(verdict)})

    assert decision.obstacles == (f"in-sync: was {verdict}",)
    assert not decision.waits_only_for_people


def test_item_nobody_looked_at_blocks() -> None:
    assert _decide([LOOK], {}).obstacles == ("in-sync: nobody has looked",)
    assert stale_looks([LOOK, SIGN], {}, now=NOON) == (LOOK,)


def test_degraded_look_lets_pass_with_reservations() -> None:
    decision = _decide([LOOK], {LOOK.item: looked(Verdict.DEGRADED)})

    assert decision.is_open
    assert decision.verdict is Verdict.DEGRADED


def test_soft_item_waits_for_those_who_may_waive_it() -> None:
    decision = _decide([SOFT], {SOFT.item: looked(Verdict.FAILED)})

    assert not decision.is_open
    assert decision.waits_only_for_people
    assert decision.standings[0].waits_for == ("on-call",)
    assert decision.obstacles == ("backup-recent: was failed (may be waived)",)


def test_waiver_opens_with_reservations_and_says_why() -> None:
    look = looked(Verdict.FAILED)
    shown = _shown(SOFT, [SOFT], {SOFT.item: look})
    waiver = a_sign_off(LIN, shown=shown, comment="19 h is enough", is_waiver=True)

    decision = _decide([SOFT], {SOFT.item: replace(look, sign_offs=(waiver,))})

    assert decision.is_open
    assert decision.verdict is Verdict.DEGRADED
    assert decision.standings[0].reason == "waived by lin: 19 h is enough; was failed"


def test_waiver_that_says_no_waives_nothing() -> None:
    look = looked(Verdict.FAILED)
    shown = _shown(SOFT, [SOFT], {SOFT.item: look})
    waiver = a_sign_off(LIN, shown=shown, verdict=Verdict.FAILED, is_waiver=True)

    assert not _decide([SOFT], {SOFT.item: replace(look, sign_offs=(waiver,))}).is_open


def test_failure_of_a_hard_item_waits_for_those_whom_it_names() -> None:
    decision = _decide([WAIVABLE], {WAIVABLE.item: looked(Verdict.FAILED)})

    assert decision.waits_only_for_people
    assert decision.standings[0].waits_for == ("database-owner",)
    assert decision.obstacles == (
        "same-version: was failed (may be waived by 2 of database-owner; so far by nobody)",
    )


def test_so_many_distinct_persons_waive_each_with_a_reason() -> None:
    one = _waived(WAIVABLE, a_waiver(GRACE, "we must"))
    both = _waived(WAIVABLE, a_waiver(GRACE, "we must"), a_waiver(MARY, "I agree"))

    assert "so far by grace" in _decide([WAIVABLE], one).obstacles[0]
    decision = _decide([WAIVABLE], both)
    assert (decision.is_open, decision.verdict) == (True, Verdict.DEGRADED)
    assert decision.standings[0].reason == ("waived by grace: we must, mary: I agree; was failed")


def test_waiver_of_several_people_outlives_the_look() -> None:
    brief = replace(WAIVABLE, fresh_for=timedelta(seconds=10))
    waived = _waived(brief, a_waiver(GRACE, "we must"), a_waiver(MARY, "I agree"))
    later = NOON + timedelta(seconds=30)
    fresh = replace(waived[brief.item], evidence=some_evidence(Verdict.FAILED, at=later))

    assert _decide([brief], {brief.item: fresh}, now=later).is_open
    too_late = later + CONTEXT.environment.policy.sign_off_within
    stale = replace(fresh, evidence=some_evidence(Verdict.FAILED, at=too_late))
    assert not _decide([brief], {brief.item: stale}, now=too_late).is_open


def test_who_is_not_named_may_not_waive() -> None:
    assert reasons_not_to_sign(CONTEXT, WAIVABLE, LIN, waives=True) == (
        "lin does not have the role database-owner",
    )
    assert reasons_not_to_sign(CONTEXT, WAIVABLE, GRACE, waives=True) == ()
    (reason,) = reasons_not_to_sign(CONTEXT, WAIVABLE, ADA, waives=True)
    assert "requested this run" in reason


def a_waiver(by: PersonName, comment: str) -> SignOff:
    return replace(a_sign_off(by), comment=comment, is_waiver=True)


def _waived(item: ChecklistItem, *waivers: SignOff) -> dict[ItemName, ItemAnswers]:
    known = looked(Verdict.FAILED)
    shown = _shown(item, [item], {item.item: known})
    return {item.item: replace(known, sign_offs=tuple(replace(w, shown=shown) for w in waivers))}


def test_soft_item_of_people_that_is_waived_is_not_called_signed() -> None:
    waiver = a_sign_off(GRACE, comment="nobody is awake", is_waiver=True)

    decision = _decide([SOFT_SIGN], {SOFT_SIGN.item: _signed(SOFT_SIGN, waiver)})

    assert decision.verdict is Verdict.DEGRADED
    assert decision.standings[0].reason == "waived by grace: nobody is awake"


def test_missing_signature_is_waited_for() -> None:
    decision = _decide([SIGN], {})

    assert decision.waits_only_for_people
    assert decision.obstacles == ("approved: waits for 1 signature(s) of database-owner",)


def test_signature_of_the_right_person_opens() -> None:
    decision = _decide([SIGN], {SIGN.item: _signed(SIGN, a_sign_off())})

    assert decision.is_open
    assert decision.standings[0].reason == "signed by grace"


@pytest.mark.parametrize("comment", ["", "not tonight"])
def test_no_blocks_for_good(comment: str) -> None:
    no = a_sign_off(verdict=Verdict.FAILED, comment=comment)

    decision = _decide([SIGN], {SIGN.item: _signed(SIGN, no)})

    assert decision.obstacles == (f"approved: grace said no: {comment or 'no reason given'}",)
    assert not decision.waits_only_for_people


def test_last_word_of_a_person_counts() -> None:
    yes, no = a_sign_off(), a_sign_off(verdict=Verdict.FAILED)

    assert not _decide([SIGN], {SIGN.item: _signed(SIGN, yes, no)}).is_open
    assert _decide([SIGN], {SIGN.item: _signed(SIGN, no, yes)}).is_open


def test_one_person_twice_is_one_person() -> None:
    two = replace(SIGN, people=2)

    decision = _decide([two], {two.item: _signed(two, a_sign_off(), a_sign_off())})

    assert decision.obstacles == ("approved: waits for 1 signature(s) of database-owner",)


@pytest.mark.parametrize(
    ("age", "is_open"),
    [
        pytest.param(AN_HOUR, True, id="exactly at its shelf life"),
        pytest.param(AN_HOUR + timedelta(microseconds=1), False, id="just past it"),
        pytest.param(timedelta(microseconds=-1), False, id="from the future"),
    ],
)
def test_signature_counts_until_its_shelf_life_ends(age: timedelta, is_open: bool) -> None:
    signed = _signed(SIGN, a_sign_off(at=NOON - age))

    assert _decide([SIGN], {SIGN.item: signed}).is_open is is_open


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(CONTEXT, run="r-2"), id="another run"),
        pytest.param(replace(CONTEXT, mode="drill"), id="another mode"),
        pytest.param(replace(CONTEXT, plan_digest="cd" * 32), id="another plan"),
    ],
)
def test_signature_is_void_elsewhere(changed: GateContext) -> None:
    signed = {SIGN.item: _signed(SIGN, a_sign_off())}

    assert evaluate_gate(CONTEXT, [SIGN], signed, now=NOON).is_open
    assert not evaluate_gate(changed, [SIGN], signed, now=NOON).is_open


@pytest.mark.parametrize(
    "edited",
    [
        pytest.param(replace(SIGN, ask="Is anything approved?"), id="the question"),
        pytest.param(replace(SIGN, why="No reason."), id="why it is asked"),
        pytest.param(replace(SIGN, remedy="Call somebody."), id="the remedy"),
    ],
)
def test_signature_is_void_when_another_text_is_shown(edited: ChecklistItem) -> None:
    assert not _decide([edited], {SIGN.item: _signed(SIGN, a_sign_off())}).is_open


@pytest.mark.parametrize("then", [Verdict.DEGRADED, Verdict.INCONCLUSIVE, Verdict.FAILED])
def test_signature_is_void_when_the_evidence_says_something_else(then: Verdict) -> None:
    items = [LOOK, SIGN]
    before = {LOOK.item: looked()}
    sign_off = a_sign_off(shown=_shown(SIGN, items, before))
    signed = {SIGN.item: ItemAnswers(sign_offs=(sign_off,))}

    assert _decide(items, {**before, **signed}).standings[1].verdict is Verdict.PASSED
    decision = _decide(items, {LOOK.item: looked(then), **signed})
    assert decision.standings[1].verdict is Verdict.INCONCLUSIVE


def test_newer_look_that_says_the_same_leaves_signatures_valid() -> None:
    items = [LOOK, SIGN]
    sign_off = a_sign_off(shown=_shown(SIGN, items, {LOOK.item: looked()}))
    later = NOON + timedelta(minutes=30)
    answers = {LOOK.item: looked(at=later), SIGN.item: ItemAnswers(sign_offs=(sign_off,))}

    assert _decide(items, answers, later).is_open


@pytest.mark.parametrize(
    ("item", "by", "waives", "reason"),
    [
        pytest.param(SIGN, "eve", False, "eve is not among the people of lab", id="a stranger"),
        pytest.param(SIGN, LIN, False, "lin does not have the role database-owner", id="role"),
        pytest.param(SIGN, ADA, False, "ada requested this run", id="the requester"),
        pytest.param(SIGN, GRACE, True, "approved is a hard item", id="waiving a hard item"),
        pytest.param(LOOK, LIN, False, "in-sync is answered by a probe", id="a probe's item"),
        pytest.param(SOFT, GRACE, True, "grace does not have the role on-call", id="a waiver"),
    ],
)
def test_reason_not_to_sign_is_told(
    item: ChecklistItem, by: str, waives: bool, reason: str
) -> None:
    reasons = reasons_not_to_sign(CONTEXT, item, PersonName(by), waives=waives)

    assert len(reasons) == 1
    assert reasons[0].startswith(reason)


def test_policy_may_let_the_requester_sign() -> None:
    environment = a_lab()
    lenient = replace(environment.policy, requester_may_sign=True)
    context = replace(CONTEXT, environment=replace(environment, policy=lenient))

    assert reasons_not_to_sign(context, SIGN, ADA, waives=False) == ()


def test_empty_checklist_never_opens_a_gate() -> None:
    assert not _decide([], {}).is_open


verdicts = st.sampled_from(list(Verdict))
moments = st.integers(-7200, 7200).map(lambda s: NOON + timedelta(seconds=s))
names = st.sampled_from(["ada", "grace", "lin", "eve"]).map(PersonName)
looks = st.none() | st.builds(
    Evidence, verdict=verdicts, summary=st.just("so"), at=moments, kept=st.just({})
)


@st.composite
def answered_items(draw: st.DrawFn) -> tuple[list[ChecklistItem], dict[ItemName, ItemAnswers]]:
    """Items, and answers of which some are honest, some stale and some forged."""
    kinds = st.sampled_from([LOOK, SOFT, SIGN, SOFT_SIGN, replace(SIGN, people=2)])
    items = [
        replace(item, item=ItemName(f"{item.item}-{number}"))
        for number, item in enumerate(draw(st.lists(kinds, min_size=1, max_size=4)))
    ]
    seen = {i.item: ItemAnswers(evidence=draw(looks) if i.probe else None) for i in items}
    return items, {i.item: _with_signatures(draw, i, items, seen) for i in items}


def _with_signatures(
    draw: st.DrawFn,
    item: ChecklistItem,
    items: list[ChecklistItem],
    seen: Mapping[ItemName, ItemAnswers],
) -> ItemAnswers:
    honest = shown_for(CONTEXT, item, items, seen).digest
    sign_off = st.builds(
        SignOff,
        by=names,
        shown=st.sampled_from([honest, honest, "f" * 64]),
        verdict=verdicts,
        at=moments,
        is_waiver=st.booleans(),
    )
    return replace(seen[item.item], sign_offs=tuple(draw(st.lists(sign_off, max_size=4))))


@given(answered_items(), moments)
def test_gate_never_opens_without_fresh_evidence_of_every_item(
    answered: tuple[list[ChecklistItem], dict[ItemName, ItemAnswers]], now: datetime
) -> None:
    items, answers = answered

    if evaluate_gate(CONTEXT, items, answers, now=now).is_open:
        for item in items:
            assert _is_satisfied(item, answers[item.item], now)


@given(answered_items(), moments)
def test_gate_decides_the_same_for_the_same_answers(
    answered: tuple[list[ChecklistItem], dict[ItemName, ItemAnswers]], now: datetime
) -> None:
    items, answers = answered

    assert evaluate_gate(CONTEXT, items, answers, now=now) == evaluate_gate(
        CONTEXT, items, dict(reversed(answers.items())), now=now
    )


@given(answered_items(), moments)
def test_time_alone_never_opens_a_gate(
    answered: tuple[list[ChecklistItem], dict[ItemName, ItemAnswers]], now: datetime
) -> None:
    items, answers = answered
    newest = max(
        [a.evidence.at for a in answers.values() if a.evidence]
        + [s.at for a in answers.values() for s in a.sign_offs],
        default=now,
    )
    if now >= newest and not evaluate_gate(CONTEXT, items, answers, now=now).is_open:
        later = now + timedelta(minutes=20)
        assert not evaluate_gate(CONTEXT, items, answers, now=later).is_open


def _is_satisfied(item: ChecklistItem, known: ItemAnswers, now: datetime) -> bool:
    """Say it once more in other words, as a second opinion."""
    fresh = [s for s in known.sign_offs if s.shown != "f" * 64 and _is_fresh(item, s.at, now)]
    waived = item.level is Level.SOFT and any(
        s.is_waiver and s.by == (LIN if item.probe else GRACE) for s in fresh
    )
    if item.probe:
        look = known.evidence
        assert look is not None
        assert _is_fresh(item, look.at, now)
        return look.verdict in {Verdict.PASSED, Verdict.DEGRADED} or waived
    yes = {s.by for s in fresh if s.verdict is Verdict.PASSED and s.by == GRACE}
    return len(yes) >= item.people or waived


def _is_fresh(item: ChecklistItem, at: datetime, now: datetime) -> bool:
    return at <= now <= at + item.fresh_for
