from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.checklist import PersonName
from orchestrator.domain.record import GateProgress
from orchestrator.domain.report import Standing
from orchestrator.domain.run import (
    GateOpened,
    GateRefused,
    GateWaits,
    ItemLookedAt,
    ItemSigned,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.reporting import report_of
from tests.support.builders import (
    GRACE,
    PREFLIGHT,
    a_checklist,
    a_journal,
    a_plan,
    a_sign_off,
    after,
    an_item,
    created,
    some_evidence,
)
from tests.support.switchovers import (
    refused,
    verified_with_a_waiver,
)


def test_gate_tells_each_answer_and_who_signed() -> None:
    gate = verified_with_a_waiver().report().gates[0]

    answers = {str(item.item): item for item in gate.items}
    assert gate.progress is GateProgress.OPENED
    assert gate.verdict is Verdict.DEGRADED
    assert answers["same-system"].verdict is Verdict.PASSED
    assert answers["backup-recent"].verdict is Verdict.DEGRADED
    assert answers["backup-recent"].signatures[0].name == "林小雨"
    assert answers["change-approved"].signatures[0].comment == "CHG-2041"
    assert answers["change-approved"].answered_by == "database-owner"


def test_signature_of_somebody_unknown_shows_what_they_called_themselves() -> None:
    plan = a_plan(checklists=[a_checklist(PREFLIGHT, an_item("approved", role="owner"))])
    signed = ItemSigned(gate=PREFLIGHT, item=an_item("approved").item, sign_off=a_sign_off(GRACE))
    stranger = replace(signed, sign_off=a_sign_off(PersonName("mallory")))

    item = report_of(plan, a_journal((0, created(plan)), (1, stranger))).gates[0].items[0]

    assert (item.signatures[0].by, item.signatures[0].name) == ("mallory", "")
    assert item.verdict is Verdict.INCONCLUSIVE


def test_gate_that_was_not_reached_is_not_passed() -> None:
    gate = refused().report().gates[1]

    assert gate.progress is GateProgress.PENDING
    assert gate.verdict is Verdict.INCONCLUSIVE
    assert {item.answer for item in gate.items} == {"not reached"}


def test_refused_gate_tells_why_and_fails() -> None:
    gate = refused().report().gates[0]

    assert gate.progress is GateProgress.REFUSED
    assert gate.verdict is Verdict.FAILED
    assert gate.obstacles == ("replay-runs: db-a2: replay_paused is true, not false",)


def test_gate_is_not_open_before_the_engine_says_so_even_if_every_item_passed() -> None:
    plan = a_plan()
    looked = ItemLookedAt(gate=PREFLIGHT, item=an_item().item, evidence=some_evidence(at=after(1)))

    gate = report_of(plan, a_journal((0, created(plan)), (1, looked))).gates[0]

    assert gate.items[0].verdict is Verdict.PASSED
    assert gate.progress is GateProgress.CHECKING
    assert gate.verdict is Verdict.INCONCLUSIVE


def test_answers_that_came_after_the_gate_opened_do_not_change_its_record() -> None:
    plan = a_plan()
    item = an_item().item
    good = ItemLookedAt(gate=PREFLIGHT, item=item, evidence=some_evidence(at=after(1)))
    bad = replace(good, evidence=some_evidence(Verdict.FAILED, at=after(3)))
    opened = GateOpened(gate=PREFLIGHT, verdict=Verdict.PASSED)

    gate = report_of(plan, a_journal((0, created(plan)), (1, good), (2, opened), (3, bad))).gates[
        0
    ]

    assert gate.items[0].verdict is Verdict.PASSED
    assert gate.decided == after(2)


def test_wait_is_over_once_the_gate_is_refused() -> None:
    plan = a_plan()
    waits = GateWaits(gate=PREFLIGHT, until=after(60), obstacles=("approved: waits",))
    shut = GateRefused(gate=PREFLIGHT, obstacles=("approved: waits",), timed_out=True)

    report = report_of(plan, a_journal((0, created(plan)), (1, waits), (61, shut)))

    assert report.standing is Standing.GOING
    assert report.gates[0].progress is GateProgress.REFUSED
