"""Scenario: the gate, its probes and its people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.checklist import PersonName, SignOff
from orchestrator.domain.run import (
    ExitCode,
    GateOpened,
    GateRefused,
    GateWaits,
    ItemLookedAt,
    ItemSigned,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine import requesting
from tests.support.builders import ADA, GRACE, NOON, PREFLIGHT
from tests.support.recoveries import (
    APPROVED,
    BACKUP,
    BEFORE,
    LIN,
    STREAMS,
    Rehearsal,
    a_switchover,
)

A_MINUTE = timedelta(minutes=1)
TWO_PEOPLE = replace(APPROVED, people=2)


def test_item_that_fails_refuses_the_run_before_anything_changed() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.facts["replication"] = "broken"

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.REFUSED
    assert rehearsal.ended.verdict is Verdict.FAILED
    assert "standby-streams: replication is broken; nothing was changed" in rehearsal.ended.summary
    assert rehearsal.target.arrivals == []
    assert rehearsal.journal.holder_of("service/orders-db") is None


def test_item_that_cannot_be_seen_refuses_the_run() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.blind = {"replication"}

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.REFUSED
    assert rehearsal.target.arrivals == []


def test_run_waits_for_the_person_who_is_asked() -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))
    rehearsal.clock.while_waiting = lambda: rehearsal.sign("change-approved")

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert rehearsal.all_of(GateWaits)[0].obstacles == (
        "change-approved: waits for 1 signature(s) of database-owner",
    )


def test_two_people_are_two_persons() -> None:
    plan = a_switchover(STREAMS, replace(TWO_PEOPLE, role="on-call"))
    requester_may = replace(plan.environment.policy, requester_may_sign=True)
    rehearsal = Rehearsal(
        replace(plan, environment=replace(plan.environment, policy=requester_may))
    )
    signers = iter([LIN, LIN, ADA])
    rehearsal.clock.while_waiting = lambda: rehearsal.sign("change-approved", by=next(signers))

    rehearsal.drive()

    assert [e.sign_off.by for e in rehearsal.all_of(ItemSigned)] == [LIN, LIN, ADA]
    assert rehearsal.exit_code is ExitCode.VERIFIED


def test_nobody_signs_in_time_and_that_is_not_a_yes() -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.SIGN_OFF_TIMED_OUT
    assert rehearsal.ended.verdict is Verdict.INCONCLUSIVE
    assert [e.timed_out for e in rehearsal.all_of(GateRefused)] == [True]
    waits = rehearsal.all_of(GateWaits)[0]
    assert rehearsal.entries[-1].at > waits.until
    assert rehearsal.target.facts == BEFORE


def test_looks_are_renewed_while_people_think() -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))
    rehearsal.clock.while_waiting = lambda: _sign_at(rehearsal, 5 * A_MINUTE)

    rehearsal.drive()

    assert len(rehearsal.all_of(ItemLookedAt)) > 5
    assert rehearsal.exit_code is ExitCode.VERIFIED


def test_standby_that_breaks_while_people_think_shuts_the_gate() -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))
    rehearsal.clock.while_waiting = lambda: _break(rehearsal, "replication")

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.REFUSED
    assert rehearsal.all_of(GateOpened) == []


def test_no_is_an_answer() -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))
    rehearsal.clock.while_waiting = lambda: rehearsal.sign(
        "change-approved", verdict=Verdict.FAILED, comment="not tonight"
    )

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.REFUSED
    assert "grace said no: not tonight" in rehearsal.ended.summary


def test_waiver_is_void_once_the_look_says_something_else() -> None:
    rehearsal = Rehearsal(a_switchover(replace(BACKUP, fresh_for=A_MINUTE), APPROVED))
    rehearsal.target.facts["backup"] = "old"
    asked: list[tuple[str, ...]] = []
    rehearsal.clock.while_waiting = lambda: asked.append(_waive_then_go_blind(rehearsal))

    rehearsal.drive()

    assert asked[0] == ("change-approved",)
    assert ("backup-recent", "change-approved") in asked
    assert rehearsal.exit_code is ExitCode.SIGN_OFF_TIMED_OUT


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda s: replace(s, by=ADA), id="the requester signs"),
        pytest.param(lambda s: replace(s, by=LIN), id="somebody without the role"),
        pytest.param(lambda s: replace(s, by=PersonName("eve")), id="a stranger"),
        pytest.param(lambda s: replace(s, shown="f" * 64), id="something else was shown"),
        pytest.param(lambda s: replace(s, at=s.at + timedelta(hours=1)), id="from the future"),
        pytest.param(lambda s: replace(s, at=s.at - timedelta(hours=1)), id="long ago"),
        pytest.param(lambda s: replace(s, is_waiver=True), id="a waiver of a hard item"),
    ],
)
def test_signature_that_does_not_count_opens_nothing(forge: Callable[[SignOff], SignOff]) -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))
    rehearsal.clock.while_waiting = lambda: _sign_forged(rehearsal, forge)

    rehearsal.drive()

    assert rehearsal.all_of(ItemSigned) != []
    assert rehearsal.exit_code is ExitCode.SIGN_OFF_TIMED_OUT
    assert rehearsal.target.arrivals == []


def test_patient_item_is_given_its_time() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.facts["replay"] = "behind"
    rehearsal.journal.before_append = lambda: _replay_after_the_fence(rehearsal)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED


def test_look_that_is_stale_as_soon_as_it_is_made_ends_in_a_refusal() -> None:
    fleeting = replace(STREAMS, fresh_for=timedelta(seconds=5))
    rehearsal = Rehearsal(a_switchover(fleeting))
    rehearsal.target.look_takes = timedelta(seconds=10)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.REFUSED
    assert rehearsal.clock.monotonic() < 120
    assert "stale" in rehearsal.ended.summary


def test_empty_checklist_never_opens() -> None:
    plan = a_switchover()
    empty = replace(plan.checklists[PREFLIGHT], items=())
    rehearsal = Rehearsal(replace(plan, checklists={**plan.checklists, PREFLIGHT: empty}))

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.REFUSED
    assert rehearsal.target.arrivals == []


def test_clock_that_jumps_back_makes_looks_void_and_they_are_made_again() -> None:
    rehearsal = Rehearsal(a_switchover(STREAMS, APPROVED))
    rehearsal.clock.while_waiting = lambda: _jump_back_then_sign(rehearsal)

    rehearsal.drive()

    looks = [e.evidence.at for e in rehearsal.all_of(ItemLookedAt) if e.gate == PREFLIGHT]
    assert looks[0] > looks[1]
    assert PREFLIGHT in rehearsal.state.opened


def _sign_at(rehearsal: Rehearsal, moment: timedelta) -> None:
    rehearsal.clock.advance(timedelta(seconds=10))
    if timedelta(seconds=rehearsal.clock.monotonic()) > moment:
        rehearsal.sign("change-approved", GRACE)


def _break(rehearsal: Rehearsal, fact: str) -> None:
    rehearsal.target.facts[fact] = "broken"
    rehearsal.clock.advance(A_MINUTE)
    if rehearsal.clock.monotonic() < A_MINUTE.total_seconds() + 1:
        rehearsal.sign("change-approved")


def _waive_then_go_blind(rehearsal: Rehearsal) -> tuple[str, ...]:
    """Waive once, and return what is still asked of people."""
    if not rehearsal.all_of(ItemSigned):
        rehearsal.sign("backup-recent", by=LIN, comment="fine", waives=True)
        rehearsal.target.blind = {"backup"}
    now = rehearsal.clock.now()
    rehearsal.clock.advance(A_MINUTE / 4)
    return requesting.items_to_sign(rehearsal.plan, rehearsal.state, now=now)


def _jump_back_then_sign(rehearsal: Rehearsal) -> None:
    if rehearsal.clock.now() >= NOON:
        rehearsal.clock.set_back(A_MINUTE)
    else:
        rehearsal.sign("change-approved")


def _replay_after_the_fence(rehearsal: Rehearsal) -> None:
    if rehearsal.target.facts["old"] == "stopped":
        rehearsal.target.facts["replay"] = "complete"


def _sign_forged(rehearsal: Rehearsal, forge: Callable[[SignOff], SignOff]) -> None:
    """Write what an honest signature of now would be, but for one field."""
    rehearsal.clock.advance(A_MINUTE)
    honest = requesting.sign(
        rehearsal.plan,
        rehearsal.state,
        "change-approved",
        by=GRACE,
        verdict=Verdict.PASSED,
        comment="",
        waives=False,
        now=rehearsal.clock.now(),
    )
    rehearsal.append(replace(honest, sign_off=forge(honest.sign_off)))
