from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.adapters.content.linting_paths import lint_paths
from orchestrator.domain.problem import Problem
from tests.support.example_content import (
    INVARIANTS,
    INVENTORY,
    JOURNEY,
    OFFICE,
    PEOPLE,
    PLAYBOOK,
    POLICY,
    PREFLIGHT,
    a_content_root,
    spoil,
)
from tests.support.kinds import ACTION_INPUTS, PROBE_INPUTS


def lint(*paths: Path) -> tuple[Problem, ...]:
    return lint_paths(paths, ACTION_INPUTS, PROBE_INPUTS)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with one problem in a playbook and one in a checklist."""
    root = a_content_root(tmp_path)
    spoil(root, PLAYBOOK, "time_limit: 30s", "time_limit: 30")
    spoil(root, PREFLIGHT, "level: soft", "level: sfot")
    return root


@pytest.mark.parametrize(
    ("path", "files"),
    [
        pytest.param(".", [PREFLIGHT, PLAYBOOK], id="the whole root"),
        pytest.param("checklists", [PREFLIGHT], id="a folder"),
        pytest.param("playbooks/ledger-move", [PLAYBOOK], id="a playbook's folder"),
        pytest.param(PLAYBOOK, [PLAYBOOK], id="one file"),
        pytest.param("environments", [], id="a folder in order"),
    ],
)
def test_part_of_a_root_has_its_own_problems(root: Path, path: str, files: list[str]) -> None:
    assert [problem.position.file for problem in lint(root / path)] == files


def test_several_paths_are_checked_and_nothing_is_told_twice(root: Path) -> None:
    assert len(lint(root / PLAYBOOK, root / "playbooks", root)) == 2


@pytest.mark.parametrize(
    "name", [PLAYBOOK, PREFLIGHT, OFFICE, PEOPLE, POLICY, INVARIANTS, JOURNEY, INVENTORY]
)
def test_stray_file_in_order_is_checked_by_itself(tmp_path: Path, name: str) -> None:
    stray = tmp_path / "stray.yaml"
    shutil.copy(a_content_root(tmp_path) / name, stray)

    assert lint(stray) == ()


@pytest.mark.parametrize(
    ("name", "old", "new", "phrase"),
    [
        (PLAYBOOK, "time_limit: 30s", "time_limit: 30", "a duration"),
        (PLAYBOOK, "    if_it_fails: Wait.\n", "", "what to do when it fails"),
        (PREFLIGHT, "    role: ledger-owner\n", "", "answered by nobody"),
        (INVENTORY, "ansible_user: root", "ansible_become: true", "is not obeyed"),
        (POLICY, "start: [on-call]", "start: [on-call", "not closed"),
        (POLICY, "start: [on-call]", "end: [on-call]", "this is no content"),
    ],
)
def test_stray_file_has_its_problems_listed(
    tmp_path: Path, name: str, old: str, new: str, phrase: str
) -> None:
    root = a_content_root(tmp_path)
    spoil(root, name, old, new)
    stray = tmp_path / "stray.yaml"
    shutil.copy(root / name, stray)

    assert any(phrase in str(problem) for problem in lint(stray))


def test_missing_path_is_a_problem(tmp_path: Path) -> None:
    (problem,) = lint(tmp_path / "nowhere.yaml")

    assert problem.what == "there is no such file"


def test_folder_without_content_is_a_problem(tmp_path: Path) -> None:
    (problem,) = lint(tmp_path)

    assert problem.what == "this is no content"


def test_link_to_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to(a_content_root(tmp_path) / POLICY)

    (problem,) = lint(tmp_path / "link.yaml")

    assert "is a link" in problem.what
