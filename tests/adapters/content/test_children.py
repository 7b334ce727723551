"""A playbook in another one: what is loaded, what is frozen with it, what is complained about."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.errors import ContentInvalid
from orchestrator.domain.playbook import ChildPlaybook
from orchestrator.domain.problem import Position
from tests.support.example_content import PLAYBOOK, a_content_root, load, spoil

CHILD = "playbooks/ledger-return/playbook.yaml"
CHECKLIST = "checklists/ledger-return-preflight.yaml"
INCLUDED = """
  - playbook: ledger-return
    with: {ledger: "${ledger}", member: "${ledger.last_primary}"}

prior_state:"""
RETURN = """\
playbook: ledger-return
title: Bring a member of the ledger back
objectives: {downtime: 0s}
parameters:
  ledger: {kind: service, engine: postgresql}
  member: {kind: member, member_of: ledger, default: strayed-member}
locks: [ledger]
gate: ledger-return-preflight
steps:
  - step: start-member
    why: The ledger should have a standby again.
    effect: {reprotects: "${member}"}
    ansible: {play: ansible/start.yml, on: "${member}"}
    expect: {sql: {on: "${member}", query: select 1 as one, row: {one: 1}}}
    changes_nothing: true
    time_limit: 1m
    if_you_stop_here: The member replays.
    if_it_fails: Read its log.
verify:
  journeys: {post-an-entry: {in_a_row: 3}}
  suites: [tests/test_member.py]
"""
PREFLIGHT = """\
checklist: ledger-return-preflight
title: May it come back?
items:
  - item: member-is-reachable
    ask: Does its host answer?
    why: Nothing could be done there.
    fresh_for: 1m
    ssh: {on: "${member}", run: ["true"]}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The example with a second playbook that the first includes."""
    root = a_content_root(tmp_path)
    files = {
        CHILD: RETURN,
        CHECKLIST: PREFLIGHT,
        "playbooks/ledger-return/ansible/start.yml": "- hosts: all\n",
        "playbooks/ledger-return/tests/test_member.py": "def test_it(host): ...\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    spoil(root, PLAYBOOK, "\nprior_state:", INCLUDED)
    return root


def test_child_is_loaded_as_it_is_written(root: Path) -> None:
    content = load(root)

    assert content.problems == ()
    assert content.find_playbook("ledger-move").value.children == (
        ChildPlaybook(
            playbook=content.find_playbook("ledger-return").value.playbook,
            given={"ledger": "${ledger}", "member": "${ledger.last_primary}"},
        ),
    )


def test_closure_holds_the_files_of_children(root: Path) -> None:
    files = load(root).closure("ledger-move", "office")

    assert {CHILD, CHECKLIST, "playbooks/ledger-return/ansible/start.yml"} <= files.keys()
    assert "playbooks/ledger-return/tests/test_member.py" in files
    assert PLAYBOOK not in load(root).closure("ledger-return", "office")


def test_locator_finds_places_in_children(root: Path) -> None:
    locate = load(root).locator("ledger-move", "office")

    assert locate("playbook ledger-return", ("steps", 0, "why")) == Position(CHILD, 11, 10)
    assert locate("checklist ledger-return-preflight", ("title",)) == Position(CHECKLIST, 2, 8)


@pytest.mark.parametrize(
    ("old", "new", "at", "complaint"),
    [
        pytest.param(
            "playbook: ledger-return",
            "playbook: ledger-retrun",
            "ledger-retrun",
            "there is no playbook `ledger-retrun`, it is referred to here, did you mean "
            "`ledger-return`",
            id="a child that there is not",
        ),
        pytest.param(
            "member: ",
            "membre: ",
            "membre: ",
            "`ledger-return` has no parameter `membre`, nothing would come of it, "
            "name one of: ledger, member",
            id="a parameter that it has not",
        ),
        pytest.param(
            'ledger: "${ledger}"',
            "ledger: ledger-db",
            "ledger-db",
            "`ledger` is not a service of `ledger-move`",
            id="a service that nobody locks",
        ),
        pytest.param(
            '"${ledger.last_primary}"',
            '"${legder.last_primary}"',
            '"${legder.last_primary}"',
            "`${legder.last_primary}` names nothing",
            id="a reference to nothing",
        ),
        pytest.param(
            "    with: {",
            "    whit: {",
            "whit: {",
            "`whit` is not known",
            id="a key that there is not",
        ),
        pytest.param(
            '"${ledger.last_primary}"', "[led-1]", "[led-1]", "is wanted", id="a list for a text"
        ),
    ],
)
def test_complaint_stands_where_the_child_is_included(
    root: Path, old: str, new: str, at: str, complaint: str
) -> None:
    text = (root / PLAYBOOK).read_text()
    head, included, tail = text.partition(INCLUDED.strip())
    (root / PLAYBOOK).write_text(head + included.replace(old, new) + tail)

    told = [str(problem) for problem in load(root).problems]

    before = (root / PLAYBOOK).read_text().rpartition(at)[0]
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    assert any(t.startswith(f"{PLAYBOOK}:{line}:{column}: ") and complaint in t for t in told), (
        told
    )


def test_problem_of_a_child_keeps_its_parent_from_being_planned(root: Path) -> None:
    spoil(root, CHILD, "    time_limit: 1m\n", "")

    with pytest.raises(ContentInvalid) as caught:
        load(root).pick("ledger-move", "office")

    assert {problem.position.file for problem in caught.value.problems} == {CHILD}


def test_problem_of_a_child_s_checklist_keeps_its_parent_from_being_planned(root: Path) -> None:
    spoil(root, CHECKLIST, "fresh_for: 1m", "fresh_for: 0s")

    with pytest.raises(ContentInvalid) as caught:
        load(root).pick("ledger-move", "office")

    assert {problem.position.file for problem in caught.value.problems} == {CHECKLIST}


def test_what_the_environment_lacks_for_a_child_keeps_its_parent_from_being_planned(
    root: Path,
) -> None:
    spoil(root, CHILD, "post-an-entry", "read-an-entry")

    with pytest.raises(ContentInvalid, match="called `read-an-entry`"):
        load(root).pick("ledger-move", "office")


def test_problem_of_a_parent_does_not_keep_its_child_from_being_planned(root: Path) -> None:
    spoil(root, PLAYBOOK, "    if_it_fails: Wait.\n", "")

    load(root).pick("ledger-return", "office")


def test_playbook_that_includes_itself_is_refused(root: Path) -> None:
    spoil(
        root,
        CHILD,
        "verify:\n",
        '  - playbook: ledger-move\n    with: {ledger: "${ledger}"}\nverify:\n',
    )

    told = [str(problem) for problem in load(root).problems]

    assert [problem.partition(": ")[2].partition(",")[0] for problem in told] == [
        "`ledger-return` leads back to `ledger-move`",
        "`ledger-move` leads back to `ledger-return`",
    ]
