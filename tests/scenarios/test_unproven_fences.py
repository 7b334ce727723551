"""Scenario: a fence that cannot be proved stops the run; only two people take it further."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.checklist import Checklist, ChecklistItem, ItemName, PersonName
from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import ChecklistName, Effect, GateStop
from orchestrator.domain.report import Report, Standing
from orchestrator.domain.run import ExitCode, GateOpened, InvariantsChecked
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.reporting import report_of
from tests.support.builders import ADA, GRACE
from tests.support.fake_target import Fate, shows
from tests.support.fakes import Died
from tests.support.recoveries import (
    CONFIRMED,
    FENCE,
    HOLD,
    LIN,
    NO_RETURN,
    PROMOTE,
    RELEASE,
    TURN,
    Rehearsal,
    a_switchover,
)

RISK = ChecklistName("accept-split-brain")
ACCEPTS = ChecklistItem(
    item=ItemName("accepts-split-brain"),
    ask="Do you accept that both may take writes?",
    why="What the old one takes is lost.",
    fresh_for=timedelta(minutes=15),
    role="database-owner",
    people=2,
)
UNPROVEN = replace(
    FENCE,
    undo=None,
    effect=Effect(fences="orders-db/db-a1"),
    prove=(shows("proof", "seen"),),
    if_it_fails="Fence it by hand.",
    if_unproven=RISK,
)
ACCEPTED = "split-brain risk accepted by ada and grace: the fence of db-a1 was not proved"


def a_failover(**changes: object) -> Plan:
    """Fence, or let two people accept that it is not proved; then promote."""
    gates = (GateStop(gate=NO_RETURN), GateStop(gate=CONFIRMED))
    plan = a_switchover(steps=(HOLD, UNPROVEN, gates[0], PROMOTE, TURN, RELEASE, gates[1]))
    risk = Checklist(checklist=RISK, title="Is the risk accepted?", items=(ACCEPTS,))
    policy = replace(plan.environment.policy, requester_may_sign=True)
    plan = replace(
        plan,
        checklists={**plan.checklists, RISK: risk},
        environment=replace(plan.environment, policy=policy),
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


@pytest.fixture
def rehearsal() -> Rehearsal:
    """A failover whose fence works, and nobody can see that it does."""
    rehearsal = Rehearsal(a_failover())
    rehearsal.target.facts["proof"] = "seen"
    rehearsal.target.blind = {"proof"}
    return rehearsal


def signing(rehearsal: Rehearsal, *signers: PersonName) -> Iterator[None]:
    """Let each of *signers* sign, one at each moment that the run waits for people."""
    for by in signers:
        rehearsal.sign("accepts-split-brain", by)
        yield
    while True:
        yield


def sign_while_waiting(rehearsal: Rehearsal, *signers: PersonName) -> None:
    signed = signing(rehearsal, *signers)
    rehearsal.clock.while_waiting = lambda: next(signed)


def report(rehearsal: Rehearsal) -> Report:
    return report_of(rehearsal.plan, rehearsal.entries)


def test_a_fence_that_is_proved_asks_nobody(rehearsal: Rehearsal) -> None:
    rehearsal.target.blind = set()

    rehearsal.drive()

    assert rehearsal.ended.verdict is Verdict.PASSED
    assert RISK not in [opened.gate for opened in rehearsal.all_of(GateOpened)]
    assert report(rehearsal).accepted_risks == ()
    assert RISK not in [gate.gate for gate in report(rehearsal).gates]


def test_two_people_may_go_on_and_the_first_line_says_so(rehearsal: Rehearsal) -> None:
    sign_while_waiting(rehearsal, GRACE, ADA)

    rehearsal.drive()

    assert rehearsal.done_to("new") == ["primary"]
    assert (rehearsal.ended.verdict, rehearsal.exit_code) == (Verdict.DEGRADED, ExitCode.VERIFIED)
    assert rehearsal.ended.summary.startswith(ACCEPTED)
    told = report(rehearsal)
    assert told.headline == f"S{ACCEPTED[1:]}. Verified, with reservations"
    assert told.accepted_risks == (ACCEPTED,)
    assert RISK in [gate.gate for gate in told.gates]


@pytest.mark.parametrize("signers", [[], [GRACE], [GRACE, GRACE]], ids=["none", "one", "twice"])
def test_less_than_two_people_hold_the_run_and_it_keeps_its_locks(
    rehearsal: Rehearsal, signers: Sequence[PersonName]
) -> None:
    sign_while_waiting(rehearsal, *signers)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.SIGN_OFF_TIMED_OUT
    assert rehearsal.held.reason.startswith("the fence of orders-db/db-a1 is not proved: proof")
    assert rehearsal.held.owner == ADA
    assert "retry stop-old-primary" in rehearsal.held.next_action
    assert rehearsal.done_to("new") == []
    assert rehearsal.done_to("traffic") == ["held"]
    assert rehearsal.journal.holder_of("service/orders-db") is not None
    assert report(rehearsal).standing is Standing.HELD


def test_one_no_holds_the_run(rehearsal: Rehearsal) -> None:
    rehearsal.clock.while_waiting = lambda: rehearsal.sign(
        "accepts-split-brain", GRACE, Verdict.FAILED, comment="never"
    )

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.HANDS_NEEDED
    assert "grace said no: never" in rehearsal.held.reason
    assert rehearsal.done_to("new") == []


def test_who_does_not_have_the_role_is_not_asked(rehearsal: Rehearsal) -> None:
    sign_while_waiting(rehearsal, LIN)

    with pytest.raises(RequestRefused, match="lin does not have the role database-owner"):
        rehearsal.drive()


def test_a_resumed_run_looks_at_the_fence_again(rehearsal: Rehearsal) -> None:
    rehearsal.drive()
    assert rehearsal.exit_code is ExitCode.SIGN_OFF_TIMED_OUT
    rehearsal.target.blind = set()

    rehearsal.drive()

    assert rehearsal.ended.verdict is Verdict.PASSED
    assert rehearsal.done_to("old") == ["stopped"]


def test_a_resumed_run_asks_again_and_old_signatures_do_not_count(rehearsal: Rehearsal) -> None:
    sign_while_waiting(rehearsal, GRACE)
    rehearsal.drive()
    assert rehearsal.exit_code is ExitCode.SIGN_OFF_TIMED_OUT

    sign_while_waiting(rehearsal, ADA)
    rehearsal.drive()
    assert rehearsal.held.reason.endswith("waits for 1 signature(s) of database-owner")

    sign_while_waiting(rehearsal, ADA, GRACE)
    rehearsal.drive()
    assert rehearsal.ended.summary.startswith(ACCEPTED)


def test_a_retry_of_the_fence_may_prove_it(rehearsal: Rehearsal) -> None:
    rehearsal.target.blind = set()
    rehearsal.target.will("old", Fate.FAILS)
    rehearsal.drive()
    assert "old is primary" in rehearsal.held.reason

    rehearsal.retry("stop-old-primary")
    rehearsal.drive()

    assert rehearsal.ended.verdict is Verdict.PASSED
    assert rehearsal.done_to("old") == ["stopped", "stopped"]


def test_an_abort_of_the_held_run_takes_back_what_can_be_taken_back(rehearsal: Rehearsal) -> None:
    rehearsal.drive()

    rehearsal.abort()
    rehearsal.drive()

    # The old primary is half shut off, so that all is not as it was.
    assert "the prior state is not proved" in rehearsal.held.reason
    assert rehearsal.done_to("traffic") == ["held", "flowing"]
    assert rehearsal.done_to("new") == []


def test_an_abort_while_people_are_asked_takes_everything_back(rehearsal: Rehearsal) -> None:
    rehearsal.clock.while_waiting = lambda: _abort_once(rehearsal)

    rehearsal.drive()

    assert rehearsal.done_to("traffic") == ["held", "flowing"]
    assert rehearsal.done_to("new") == []


def test_what_was_accepted_of_an_unknown_fence_is_not_accepted_of_a_broken_one(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.clock.while_waiting = lambda: _sign_and_die(rehearsal)
    with pytest.raises(Died):
        rehearsal.drive()
    rehearsal.target.blind = set()
    rehearsal.target.facts["proof"] = "a write was taken"

    sign_while_waiting(rehearsal, ADA)
    rehearsal.drive()

    assert "proof is a write was taken" in rehearsal.held.reason
    assert rehearsal.held.reason.endswith("waits for 1 signature(s) of database-owner")
    assert rehearsal.done_to("new") == []


def test_a_controller_that_dies_behind_the_acceptance_goes_on_with_it(
    rehearsal: Rehearsal,
) -> None:
    sign_while_waiting(rehearsal, GRACE, ADA)
    rehearsal.target.will("new", Fate.KILLS_AFTER)
    with pytest.raises(Died):
        rehearsal.drive()

    rehearsal.drive()

    assert rehearsal.ended.summary.startswith(ACCEPTED)
    assert [opened.gate for opened in rehearsal.all_of(GateOpened)].count(RISK) == 1


def test_the_silence_that_was_accepted_breaks_no_invariant_and_leaves_a_reservation(
    rehearsal: Rehearsal,
) -> None:
    sign_while_waiting(rehearsal, GRACE, ADA)
    rehearsal.target.blind = {"proof", "old"}

    rehearsal.drive()

    checked = rehearsal.all_of(InvariantsChecked)[-1].evidence["one-primary"]
    assert checked.verdict is Verdict.DEGRADED
    assert checked.summary == "db-a2 of 2; no answer from db-a1"
    assert rehearsal.ended.verdict is Verdict.DEGRADED
    assert "invariant one-primary" in rehearsal.ended.summary


def test_two_writable_members_are_never_accepted(rehearsal: Rehearsal) -> None:
    sign_while_waiting(rehearsal, GRACE, ADA)
    rehearsal.target.will("old", Fate.LIES)

    rehearsal.drive()

    assert rehearsal.held.reason == "an invariant does not hold: one-primary: db-a1, db-a2 of 2"
    rehearsal.abort()
    rehearsal.drive()
    assert rehearsal.ended.summary.startswith(ACCEPTED)


def _sign_and_die(rehearsal: Rehearsal) -> None:
    rehearsal.sign("accepts-split-brain", GRACE)
    raise Died


def _abort_once(rehearsal: Rehearsal) -> None:
    if rehearsal.state.abort is None:
        rehearsal.abort()
