from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.playbook import ChildPlaybook, GateStop, Playbook, PlaybookName, Probe
from orchestrator.domain.problem import Path
from orchestrator.engine.linting import lint_playbook
from tests.support.families import (
    CUTOVER,
    FAILOVER,
    GIVEN,
    IS_IT_DOWN,
    REPROTECT,
    a_failover,
    a_reprotection,
    a_rewind,
    known,
)
from tests.support.playbooks import (
    A_SERVICE,
    LAST_LOOK,
    PREFLIGHT,
    a_fence,
    a_gate,
    a_probed_item,
    a_promotion,
)

LAST = GateStop(gate=LAST_LOOK)
GATES = {
    PREFLIGHT: a_gate(PREFLIGHT),
    LAST_LOOK: a_gate(LAST_LOOK),
    IS_IT_DOWN: a_gate(
        IS_IT_DOWN, a_probed_item(Probe(kind="sql", inputs={"on": "${member}", "query": ""}))
    ),
}
REPROTECTED = ChildPlaybook(playbook=REPROTECT, given=GIVEN)
KEEPING = Probe(kind="ssh", inputs={"on": "${hosts.db-a1}", "keep": {"last_lsn": "(.*)"}})


def faults_of(playbook: Playbook, *others: Playbook) -> list[tuple[Path, str]]:
    findings = lint_playbook(playbook, GATES, known(playbook, *others))
    return [(finding.fault.path, finding.fault.what) for finding in findings]


def test_child_that_fits_is_no_fault_alone_nor_in_its_place() -> None:
    assert faults_of(a_reprotection()) == []
    assert faults_of(a_failover(), a_reprotection()) == []


def test_playbook_may_consist_of_children() -> None:
    cutover = a_failover(
        ChildPlaybook(playbook=FAILOVER, given={"database": "${database}", "target": "${target}"}),
        name=CUTOVER,
    )

    assert faults_of(cutover, a_failover(), a_reprotection()) == []


def test_missing_child_is_left_to_whoever_looks_for_files() -> None:
    assert faults_of(a_failover()) == []


@pytest.mark.parametrize(
    ("given", "path", "what"),
    [
        pytest.param(
            {**GIVEN, "membre": "x"},
            ("steps", 3, "with", "membre"),
            "`database-reprotect` has no parameter `membre`",
            id="a parameter that there is not",
        ),
        pytest.param(
            {"member": "${target}"},
            ("steps", 3, "with", "database"),
            "`database` is not a service of `database-failover`",
            id="no service",
        ),
        pytest.param(
            {**GIVEN, "database": "orders-db"},
            ("steps", 3, "with", "database"),
            "`database` is not a service of `database-failover`",
            id="a service that nobody looks up",
        ),
        pytest.param(
            {**GIVEN, "database": "${target}"},
            ("steps", 3, "with", "database"),
            "`database` is not a service of `database-failover`",
            id="a member instead of a service",
        ),
        pytest.param(
            {**GIVEN, "member": "${nobody}"},
            ("steps", 3, "with", "member"),
            "`${nobody}` names nothing",
            id="a reference to nothing",
        ),
        pytest.param(
            {**GIVEN, "member": "${kept.last_lsn}"},
            ("steps", 3, "with", "member"),
            "`${kept.last_lsn}` is not kept by any probe before",
            id="what nobody kept",
        ),
    ],
)
def test_what_a_child_is_given_must_fit(given: dict[str, str], path: Path, what: str) -> None:
    assert faults_of(a_failover(given=given), a_reprotection())[0] == (path, what)


def test_child_must_be_told_what_it_has_no_default_for() -> None:
    child = a_reprotection()
    member = replace(child.parameters["member"], default="")
    needy = replace(child, parameters={**child.parameters, "member": member})

    assert faults_of(a_failover(given={"database": "${database}"}), needy) == [
        (("steps", 3), "`database-reprotect` is not told its `member`")
    ]


def test_service_of_another_engine_does_not_fit() -> None:
    child = a_reprotection()
    pooler = replace(A_SERVICE, engine="pgbouncer")
    other = replace(child, parameters={**child.parameters, "database": pooler})

    assert faults_of(a_failover(), other) == [
        (("steps", 3, "with", "database"), "`database` is not a service of `database-failover`")
    ]


def test_playbook_is_included_once() -> None:
    failover = a_failover(a_fence(), LAST, a_promotion(), REPROTECTED, REPROTECTED)

    assert faults_of(failover, a_reprotection()) == [
        (("steps", 4, "playbook"), "`database-reprotect` is included already")
    ]


@pytest.mark.parametrize(
    "child",
    [
        pytest.param(
            a_reprotection(a_rewind(), ChildPlaybook(playbook=FAILOVER, given=GIVEN)),
            id="the child includes its parent",
        ),
        pytest.param(
            a_reprotection(a_rewind(), ChildPlaybook(playbook=CUTOVER, given=GIVEN)),
            id="the child's child does",
        ),
    ],
)
def test_playbook_cannot_include_itself(child: Playbook) -> None:
    between = replace(
        a_reprotection(a_rewind(), ChildPlaybook(playbook=FAILOVER, given=GIVEN)), playbook=CUTOVER
    )

    assert faults_of(a_failover(), child, between) == [
        (("steps", 3, "playbook"), "`database-reprotect` leads back to `database-failover`")
    ]


def test_others_that_include_each_other_are_their_own_fault() -> None:
    one = a_reprotection(a_rewind(), ChildPlaybook(playbook=CUTOVER, given=GIVEN))
    other = replace(a_reprotection(a_rewind(), REPROTECTED), playbook=CUTOVER)

    assert faults_of(a_failover(), one, other) == [
        (
            ("steps", 3, "playbook"),
            "`database-reprotect` includes playbooks that include others",
        )
    ]


def test_playbooks_are_nested_two_deep_and_no_deeper() -> None:
    deepest = replace(a_reprotection(), playbook=PlaybookName("deepest"))
    deeper = replace(
        a_reprotection(a_rewind(), ChildPlaybook(playbook=deepest.playbook, given=GIVEN)),
        playbook=CUTOVER,
    )
    child = a_reprotection(a_rewind(), ChildPlaybook(playbook=CUTOVER, given=GIVEN))

    assert faults_of(child, deeper, deepest) == []
    assert faults_of(a_failover(), child, deeper, deepest) == [
        (
            ("steps", 3, "playbook"),
            "`database-reprotect` includes playbooks that include others",
        )
    ]


def test_value_of_one_name_cannot_be_kept_by_parent_and_child() -> None:
    fence = replace(a_fence(), expect=(KEEPING,))
    rewind = replace(a_rewind(), expect=(KEEPING,))

    assert faults_of(
        a_failover(fence, LAST, a_promotion(), REPROTECTED), a_reprotection(rewind)
    ) == [(("steps", 3, "playbook"), "`database-reprotect` keeps `last_lsn` too")]


def test_child_with_a_point_of_no_return_cannot_stand_before_its_parent_s() -> None:
    final = replace(a_rewind(), undo=None, point_of_no_return=True)
    failover = a_failover(REPROTECTED, a_fence(), LAST, a_promotion())

    assert (
        ("steps", 3, "point_of_no_return"),
        "`promote-target` is a second point of no return",
    ) in faults_of(failover, a_reprotection(final))


def test_step_of_a_child_behind_the_end_must_say_what_to_do_when_it_fails() -> None:
    silent = replace(a_rewind(), if_it_fails="")

    assert faults_of(a_reprotection(silent)) == []
    assert faults_of(a_failover(), a_reprotection(silent)) == [
        (
            ("steps", 3),
            "step `database-reprotect/rewind` does not say what to do when it fails",
        )
    ]


def test_fence_of_a_child_counts_for_its_parent() -> None:
    fencing = replace(a_failover(a_fence()), playbook=REPROTECT)
    included = ChildPlaybook(
        playbook=REPROTECT, given={"database": "${database}", "target": "${target}"}
    )

    assert faults_of(a_failover(included, LAST, a_promotion()), fencing) == []
