from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.checklist import Checklist, ChecklistItem, ItemName, Level
from orchestrator.domain.playbook import ChecklistName, Effect, GateStop, Move, StepName
from orchestrator.domain.problem import Path
from orchestrator.engine.linting import lint_playbook
from tests.support.playbooks import (
    LAST_LOOK,
    PREFLIGHT,
    a_fence,
    a_gate,
    a_playbook,
    a_probed_item,
    a_promotion,
)

RISK = ChecklistName("accept-split-brain")
TWO = ChecklistItem(
    item=ItemName("accepts-split-brain"),
    ask="Do you accept that both may take writes?",
    why="What the old one takes is lost.",
    fresh_for=a_probed_item().fresh_for,
    role="service-manager",
    people=2,
)
FENCE = replace(a_fence(), if_unproven=RISK)
SECOND = replace(FENCE, name=StepName("fence-again"))
GATE = GateStop(gate=LAST_LOOK)


def lint(*steps: Move, risk: Checklist | None = None) -> list[tuple[str, Path, str]]:
    gates = (a_gate(PREFLIGHT), a_gate(LAST_LOOK), risk or a_gate(RISK, TWO))
    checklists = {gate.checklist: gate for gate in gates}
    findings = lint_playbook(a_playbook(*steps), checklists)
    return [(found.document, found.fault.path, found.fault.what) for found in findings]


def test_a_fence_may_ask_two_people_when_it_is_not_proved() -> None:
    assert lint(FENCE, GATE, a_promotion()) == []


def test_a_checklist_that_is_not_there_is_not_judged() -> None:
    findings = lint_playbook(a_playbook(FENCE, GATE, a_promotion()), {})

    assert findings == ()


@pytest.mark.parametrize(
    ("steps", "index", "phrase"),
    [
        pytest.param(
            (replace(FENCE, effect=Effect(), prove=()), GATE, a_promotion()),
            0,
            "step `stop-old-primary` fences nobody",
            id="a step that is no fence",
        ),
        pytest.param(
            (replace(FENCE, if_unproven=LAST_LOOK), GATE, a_promotion()),
            0,
            "`last-look` is another gate already",
            id="a gate of the plain course",
        ),
        pytest.param(
            (FENCE, SECOND, GATE, a_promotion()),
            1,
            "`accept-split-brain` is another gate already",
            id="one acceptance for two fences",
        ),
    ],
)
def test_a_misplaced_acceptance_is_a_fault(
    steps: tuple[Move, ...], index: int, phrase: str
) -> None:
    assert ("playbook", ("steps", index, "if_unproven"), phrase) in lint(*steps)


@pytest.mark.parametrize(
    ("items", "path", "phrase"),
    [
        pytest.param(
            (TWO, a_probed_item()), ("items", 1), "answered by a probe", id="a probe beside"
        ),
        pytest.param(
            (replace(TWO, level=Level.SOFT),), ("items", 0, "level"), "can be waived", id="soft"
        ),
        pytest.param(
            (replace(TWO, people=1),), ("items",), "one person alone", id="a single person"
        ),
    ],
)
def test_less_than_the_word_of_two_people_is_a_fault(
    items: tuple[ChecklistItem, ...], path: Path, phrase: str
) -> None:
    found = lint(FENCE, GATE, a_promotion(), risk=a_gate(RISK, *items))

    ((document, where, what),) = found
    assert (document, where) == (f"checklist {RISK}", path)
    assert phrase in what
