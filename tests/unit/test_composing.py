from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.playbook import ChildPlaybook, GateStop, Playbook, PlaybookName, Step
from orchestrator.engine.composing import Composition, compose
from tests.support.families import (
    CUTOVER,
    FAILOVER,
    REPROTECT,
    a_failover,
    a_reprotection,
    a_rewind,
    known,
)
from tests.support.playbooks import LAST_LOOK, a_fence, a_promotion

INCLUDED = ChildPlaybook(playbook=REPROTECT)


def names_of(composition: Composition) -> list[str]:
    return [
        placed.move.gate if isinstance(placed.move, GateStop) else placed.move.name
        for placed in composition.moves
    ]


def steps_of(playbook: Playbook, *children: Playbook) -> list[Step]:
    moves = (placed.move for placed in compose(playbook, known(*children)).moves)
    return [move for move in moves if isinstance(move, Step)]


def test_child_stands_in_its_place_with_its_gate_first() -> None:
    assert names_of(compose(a_failover(), known(a_reprotection()))) == [
        "stop-old-primary",
        "last-look",
        "promote-target",
        "database-reprotect/is-it-down",
        "database-reprotect/rewind",
    ]


def test_child_of_a_child_is_named_after_both() -> None:
    cutover = a_failover(ChildPlaybook(playbook=FAILOVER), name=CUTOVER)

    composition = compose(cutover, known(a_failover(), a_reprotection()))

    assert names_of(composition)[-1] == "database-failover/database-reprotect/rewind"
    assert [part.chain for part in composition.parts] == [
        (),
        (FAILOVER,),
        (FAILOVER, REPROTECT),
    ]
    assert composition.parts[2].top == ("steps", 0)


def test_behind_the_point_of_no_return_nothing_of_a_child_is_taken_back() -> None:
    final = replace(a_rewind("finish"), point_of_no_return=True)

    *_, rewind, finish = steps_of(a_failover(), a_reprotection(a_rewind(), final))

    assert (rewind.undo, finish.undo) == (None, None)
    assert not finish.point_of_no_return


def test_before_the_point_of_no_return_a_child_is_taken_back_too() -> None:
    failover = a_failover(INCLUDED, a_fence(), GateStop(gate=LAST_LOOK), a_promotion())

    rewind, *_ = steps_of(failover, a_reprotection())

    assert rewind.undo == a_rewind().undo


def test_point_of_no_return_of_a_child_is_that_of_the_whole() -> None:
    final = replace(a_rewind("finish"), undo=None, point_of_no_return=True)
    failover = a_failover(INCLUDED, ChildPlaybook(playbook=FAILOVER), name=CUTOVER)

    steps = steps_of(failover, a_reprotection(final), a_failover(a_fence(), a_promotion()))

    assert [(step.name, step.point_of_no_return) for step in steps] == [
        ("database-reprotect/finish", True),
        ("database-failover/stop-old-primary", False),
        ("database-failover/promote-target", False),
    ]
    assert steps[1].undo is None


def test_child_that_is_not_there_or_leads_back_is_left_out() -> None:
    endless = a_reprotection(a_rewind(), ChildPlaybook(playbook=FAILOVER))

    assert names_of(compose(a_failover(INCLUDED), {})) == []
    assert names_of(compose(a_failover(INCLUDED), known(endless))) == [
        "database-reprotect/is-it-down",
        "database-reprotect/rewind",
    ]


def test_third_level_is_left_out() -> None:
    deepest = replace(a_reprotection(), playbook=CUTOVER)
    middle = a_reprotection(a_rewind(), ChildPlaybook(playbook=CUTOVER))
    top = replace(a_failover(ChildPlaybook(playbook=FAILOVER)), playbook=PlaybookName("top"))

    composition = compose(top, known(a_failover(INCLUDED), middle, deepest))

    assert names_of(composition)[-1] == "database-failover/database-reprotect/rewind"
