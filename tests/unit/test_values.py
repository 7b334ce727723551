"""Small values of the domain."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest

from orchestrator.domain.checklist import GateDecision, ItemStanding
from orchestrator.domain.environment import Host, HostName
from orchestrator.domain.errors import ContentInvalid
from orchestrator.domain.evidence import combine
from orchestrator.domain.playbook import GateStop, StepName
from orchestrator.domain.problem import Position, Problem
from orchestrator.domain.verdict import Verdict
from tests.support.builders import NOON, a_checklist, a_plan, a_step, after, an_item, some_evidence
from tests.support.recoveries import NO_RETURN

P, D, U, F = Verdict.PASSED, Verdict.DEGRADED, Verdict.INCONCLUSIVE, Verdict.FAILED


@pytest.mark.parametrize("pair", list(combinations_with_replacement([P, D, U, F], 2)))
def test_aggregate_is_the_worst(pair: tuple[Verdict, Verdict]) -> None:
    assert Verdict.worst_of(pair) is pair[1]
    assert Verdict.worst_of(reversed(pair)) is pair[1]


def test_no_verdicts_at_all_are_not_a_pass() -> None:
    assert Verdict.worst_of([]) is U


def test_combined_evidence_tells_what_stands_in_the_way() -> None:
    looks = [
        some_evidence(P, "fine", at=after(2)),
        some_evidence(F, "lag 3 GB", at=after(1)),
        some_evidence(F, "replay paused", at=after(3)),
    ]

    evidence = combine(looks, now=after(9))

    assert evidence.verdict is F
    assert evidence.summary == "lag 3 GB; replay paused"
    assert evidence.at == after(1)


def test_combining_no_looks_is_inconclusive_now() -> None:
    evidence = combine([], now=NOON)

    assert (evidence.verdict, evidence.summary, evidence.at) == (U, "nothing was looked at", NOON)


def test_digest_of_evidence_changes_with_what_was_seen() -> None:
    assert some_evidence(summary="0 B").digest != some_evidence(summary="3 GB").digest
    assert some_evidence().digest == some_evidence().digest


@pytest.mark.parametrize(
    ("variables", "reached_at", "address"),
    [
        pytest.param({}, "db-a1", "db-a1", id="by its name"),
        pytest.param({"ansible_host": "10.0.0.1"}, "10.0.0.1", "10.0.0.1", id="one address"),
        pytest.param(
            {"ansible_host": "10.0.0.1", "address": "10.1.0.1"},
            "10.0.0.1",
            "10.1.0.1",
            id="another address for other hosts",
        ),
    ],
)
def test_host_has_an_address_for_us_and_one_for_others(
    variables: dict[str, object], reached_at: str, address: str
) -> None:
    host = Host(name=HostName("db-a1"), site="a", variables=variables)

    assert (host.reached_at, host.address) == (reached_at, address)


def test_content_error_lists_every_problem_with_its_place() -> None:
    problems = [
        Problem(Position("a.yaml", 3, 5), "unknown key stpes", "it means nothing", "write steps"),
        Problem(Position("a.yaml", 9, 1), "no gate", "every playbook has one", "add a gate"),
    ]

    error = ContentInvalid(problems)

    assert error.problems == tuple(problems)
    assert str(error) == (
        "a.yaml:3:5: unknown key stpes, it means nothing, write steps\n"
        "a.yaml:9:1: no gate, every playbook has one, add a gate"
    )


def test_plan_knows_its_steps_and_gates_in_order() -> None:
    stop, promote = a_step("stop"), a_step("promote")
    plan = a_plan(
        stop,
        GateStop(gate=NO_RETURN),
        promote,
        checklists=[a_checklist(), a_checklist(NO_RETURN)],
    )

    assert list(plan.actions) == [stop, promote]
    assert plan.gates == ("preflight", NO_RETURN)
    assert plan.step(StepName("promote")) is promote


def test_checklist_finds_its_items_by_name() -> None:
    checklist = a_checklist("preflight", an_item("a"), an_item("b"))

    assert checklist.find("b") == an_item("b")
    assert checklist.find("c") is None


@pytest.mark.parametrize(
    ("verdicts", "is_open"),
    [
        pytest.param([], False, id="no items"),
        pytest.param([P], True, id="passed"),
        pytest.param([P, D], True, id="degraded"),
        pytest.param([P, U], False, id="inconclusive"),
        pytest.param([F, P], False, id="failed"),
    ],
)
def test_gate_is_open_when_it_has_items_and_none_blocks(
    verdicts: list[Verdict], is_open: bool
) -> None:
    standings = tuple(ItemStanding(item=an_item(), verdict=v, reason="so") for v in verdicts)

    assert GateDecision(Verdict.worst_of(verdicts), standings).is_open is is_open


@pytest.mark.parametrize(
    ("waits_for", "expected"),
    [
        pytest.param([], False, id="nothing blocks"),
        pytest.param([("owner",)], True, id="a signature is missing"),
        pytest.param([("owner",), ()], False, id="something else is missing too"),
    ],
)
def test_gate_waits_for_people_only_if_they_can_open_it(
    waits_for: list[tuple[str, ...]], expected: bool
) -> None:
    standings = tuple(
        ItemStanding(item=an_item(), verdict=U, reason="so", waits_for=roles)
        for roles in waits_for
    )

    assert GateDecision(U, standings).waits_only_for_people is expected
