from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.checklist import PersonName
from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.playbook import Action
from orchestrator.domain.run import (
    Event,
    ExitCode,
    GateOpened,
    GateRefused,
    GateWaits,
    RunHeld,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.folding import fold
from orchestrator.engine.requesting import (
    answer_manual_step,
    check_requester,
    items_to_sign,
    manual_step,
    retry,
    sign,
    waiting_gate,
)
from orchestrator.engine.transitions import gate_context
from tests.support.builders import (
    ADA,
    GRACE,
    NOON,
    PREFLIGHT,
    RUN,
    a_journal,
    a_step,
    after,
    created,
    finished,
    intended,
)
from tests.support.recoveries import APPROVED, LIN, STREAMS, a_lab, a_switchover

PLAN = a_switchover(STREAMS, APPROVED)
WAITS = GateWaits(gate=PREFLIGHT, until=after(900), obstacles=("change-approved: waits",))
REFUSED = GateRefused(gate=PREFLIGHT, obstacles=("change-approved: no",))
BY_HAND = a_step("switch-cable", action=Action(kind="manual", inputs={"role": "database-owner"}))
MANUAL_PLAN = a_switchover(steps=(BY_HAND,))
HELD = RunHeld(owner=ADA, reason="so", next_action="look", exit_code=ExitCode.HANDS_NEEDED)


def _state(*events: Event) -> RunState:
    entries = a_journal(*((float(n), event) for n, event in enumerate((created(PLAN), *events))))
    return fold(RunState(run=RUN), entries)


def _sign(state: RunState, item: str, by: str = GRACE, *, waives: bool = False) -> object:
    return sign(
        PLAN,
        state,
        item,
        by=PersonName(by),
        verdict=Verdict.PASSED,
        comment="",
        waives=waives,
        now=NOON,
    )


def test_people_with_the_role_may_start() -> None:
    check_requester(a_lab(), ADA)


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        pytest.param("eve", "eve is not among the people of lab .*say who you are", id="stranger"),
        pytest.param(GRACE, "has none of the roles that may start: on-call", id="wrong role"),
    ],
)
def test_others_may_not_start(by: str, reason: str) -> None:
    with pytest.raises(RequestRefused, match=reason):
        check_requester(a_lab(), PersonName(by))


def test_gate_that_waits_asks_for_what_people_can_answer() -> None:
    state = _state(WAITS)

    assert waiting_gate(PLAN, state) == PREFLIGHT
    assert items_to_sign(PLAN, state, now=NOON) == ("change-approved",)


@pytest.mark.parametrize(
    "over",
    [
        pytest.param(GateOpened(gate=PREFLIGHT, verdict=Verdict.PASSED), id="the gate opened"),
        pytest.param(REFUSED, id="the gate was refused"),
    ],
)
def test_run_that_waits_no_longer_asks_nobody(over: Event) -> None:
    state = _state(WAITS, over)

    assert waiting_gate(PLAN, state) is None
    assert items_to_sign(PLAN, state, now=NOON) == ()
    with pytest.raises(RequestRefused, match="does not wait for anybody's signature"):
        _sign(state, "change-approved")


@pytest.mark.parametrize(
    ("item", "by", "waives", "reason"),
    [
        pytest.param("no-such", GRACE, False, "people answer change-approved", id="unknown item"),
        pytest.param("change-approved", ADA, False, "somebody else to sign", id="the requester"),
        pytest.param("change-approved", GRACE, True, "needs a reason", id="waiver without reason"),
    ],
)
def test_signature_that_would_not_count_is_refused(
    item: str, by: str, waives: bool, reason: str
) -> None:
    with pytest.raises(RequestRefused, match=reason):
        _sign(_state(WAITS), item, by, waives=waives)


def test_manual_step_waits_while_it_is_under_way() -> None:
    under_way = _state(intended("switch-cable"))

    assert manual_step(MANUAL_PLAN, _state()) is None
    assert manual_step(MANUAL_PLAN, under_way) == BY_HAND
    assert manual_step(
        MANUAL_PLAN, _state(intended("switch-cable"), finished("switch-cable"))
    ) is (None)


def test_answer_to_a_manual_step_is_bound_to_its_attempt() -> None:
    answer = answer_manual_step(
        MANUAL_PLAN,
        _state(intended("switch-cable", attempt=2)),
        "switch-cable",
        by=GRACE,
        verdict=Verdict.PASSED,
        comment="done",
    )

    assert (answer.step, answer.attempt, answer.by) == ("switch-cable", 2, GRACE)


@pytest.mark.parametrize(
    ("step", "by", "reason"),
    [
        pytest.param("promote-target", GRACE, "does not wait for promote-target", id="other step"),
        pytest.param("switch-cable", "eve", "not among the people", id="a stranger"),
        pytest.param("switch-cable", LIN, "does not have the role database-owner", id="role"),
    ],
)
def test_answer_that_nobody_asked_for_is_refused(step: str, by: str, reason: str) -> None:
    state = _state(intended("switch-cable"))

    with pytest.raises(RequestRefused, match=reason):
        answer_manual_step(
            MANUAL_PLAN, state, step, by=PersonName(by), verdict=Verdict.PASSED, comment=""
        )


def test_stranger_cannot_let_a_step_be_tried_again() -> None:
    with pytest.raises(RequestRefused, match="not among the people"):
        retry(PLAN, _state(HELD), "turn-pooler", by=PersonName("eve"), reason="why not")


def test_journal_without_a_beginning_has_no_gates() -> None:
    with pytest.raises(ValueError, match="without a RunCreated event"):
        gate_context(PLAN, replace(_state(), created=None), PREFLIGHT)
