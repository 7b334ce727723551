from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.domain.environment import EnvironmentKind
from orchestrator.domain.errors import ContentInvalid, RequestRefused
from orchestrator.domain.playbook import ChecklistName, GateStop, Probe, Step
from orchestrator.domain.problem import Position
from tests.support.example_content import (
    ANNEX,
    ANNEX_INVENTORY,
    INVARIANTS,
    INVENTORY,
    JOURNEY,
    LAST_LOOK,
    OFFICE,
    PEOPLE,
    PLAYBOOK,
    POLICY,
    PREFLIGHT,
    a_content_root,
    load,
    spoil,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return a_content_root(tmp_path)


def test_example_is_in_order(root: Path) -> None:
    assert load(root).problems == ()


def test_playbook_is_loaded_as_it_is_written(root: Path) -> None:
    playbook = load(root).playbooks["ledger-move"].value  # type: ignore[index]

    assert playbook.objectives.downtime == timedelta(seconds=1)
    fence, gate, promotion, _ = playbook.steps
    assert isinstance(fence, Step)
    assert (fence.action.kind, fence.effect.fences) == ("ssh", "${ledger.primary}")
    assert fence.prove == (
        Probe(kind="sql_write", inputs={"on": "${ledger.primary}", "expect": "refused"}),
    )
    assert fence.undo is not None
    assert fence.undo.time_limit == timedelta(minutes=1)
    assert gate == GateStop(gate=ChecklistName("ledger-last-look"))
    assert isinstance(promotion, Step)
    assert promotion.point_of_no_return
    assert playbook.verify.probes["lag-is-small"].inputs["row"] == {
        "lag_bytes": {"at_most": 16 * 2**20}
    }


def test_environment_takes_what_it_lacks_from_the_one_it_extends(root: Path) -> None:
    environments = load(root).environments
    annex = environments["annex"].value  # type: ignore[index]

    assert annex.title == "The annex, which is the office on other machines"
    assert annex.kind is EnvironmentKind.STAGING
    assert annex.people["lin"].name == "林"  # type: ignore[index]
    assert annex.policy.sign_off_within == timedelta(minutes=10)
    assert annex.hosts["led-2"].reached_at == "198.51.100.12"  # type: ignore[index]
    assert annex.hosts["led-2"].site == "south"  # type: ignore[index]
    assert annex.services["ledger-db"].name == "ledger-db"  # type: ignore[index]


@pytest.mark.parametrize(
    ("file", "missing"),
    [
        (PEOPLE, "`people.yaml` is missing"),
        (POLICY, "`policy.yaml` is missing"),
        (INVARIANTS, "`invariants.yaml` is missing"),
        (INVENTORY, "`environments/office/inventory.yaml` is not there"),
        (OFFICE, "`environments/office/environment.yaml` is not there"),
        (PLAYBOOK, "`playbooks/ledger-move/playbook.yaml` is not there"),
        (PREFLIGHT, "there is no checklist `ledger-preflight`"),
    ],
)
def test_missing_file_is_named(root: Path, file: str, missing: str) -> None:
    (root / file).unlink()

    assert any(missing in str(problem) for problem in load(root).problems)


@pytest.mark.parametrize("key", ["title", "kind", "sites", "services", "ssh", "watch"])
def test_environment_that_extends_none_needs_every_key(root: Path, key: str) -> None:
    lines = (root / OFFICE).read_text().splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
    rest = (i for i, line in enumerate(lines) if i > start and not line.startswith(" "))
    (root / OFFICE).write_text("".join([*lines[:start], *lines[next(rest) :]]))

    assert f"`{key}` is missing" in {problem.what for problem in load(root).problems}


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("checklists/later.yml", "name it `later.yaml`"),
        ("environments/office/journeys/walk.yml", "name it `walk.yaml`"),
        ("environments/office/invariant.yaml", "did you mean `invariants.yaml`?"),
        ("environments/office/group_vars/all.yaml", "put the variables into `inventory.yaml`"),
    ],
)
def test_file_that_would_be_ignored_in_silence_is_named(
    root: Path, name: str, remedy: str
) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("a: 1\n")

    assert remedy in {problem.remedy for problem in load(root).problems}


def test_problems_of_all_files_are_listed_at_once(root: Path) -> None:
    spoil(root, PLAYBOOK, "title:", "titel:")
    spoil(root, PREFLIGHT, "title:", "titel:")
    spoil(root, PEOPLE, "roles: [on-call]", "rolls: [on-call]")

    files = {problem.position.file for problem in load(root).problems}

    assert files == {PLAYBOOK, PREFLIGHT, PEOPLE}


def test_problems_elsewhere_do_not_stop_a_recovery(root: Path) -> None:
    other = root / "playbooks/other"
    other.mkdir()
    (other / "playbook.yaml").write_text("playbook: [\n")
    (root / "checklists/unused.yaml").write_text("checklist: unused\n")
    spoil(root, ANNEX, "title:", "titel:")
    content = load(root)

    playbook, environment = content.pick("ledger-move", "office")

    assert len(content.problems) >= 3
    assert playbook.value.playbook == "ledger-move"
    assert environment.value.environment == "office"


@pytest.mark.parametrize(
    ("file", "old"),
    [
        pytest.param(PLAYBOOK, "why: Somebody", id="the playbook"),
        pytest.param(LAST_LOOK, "why: What", id="a checklist of its gates"),
        pytest.param(OFFICE, "title: The office", id="the environment that is extended"),
        pytest.param(PEOPLE, "people:", id="a file of that environment"),
        pytest.param(ANNEX, "title: The annex", id="the environment"),
    ],
)
def test_problems_of_what_a_plan_depends_on_stop_it(root: Path, file: str, old: str) -> None:
    key, rest = old.split(":", 1)
    spoil(root, file, old, f"{key}x:{rest}")
    content = load(root)

    with pytest.raises(ContentInvalid) as caught:
        content.pick("ledger-move", "annex")

    assert f"`{key}x` is not known" in str(caught.value)


def test_role_that_is_missing_in_one_environment_stops_only_there(root: Path) -> None:
    people = (root / PEOPLE).read_text()
    (root / "environments/annex/people.yaml").write_text(people.replace("ledger-owner", "cook"))
    content = load(root)

    content.pick("ledger-move", "office")

    with pytest.raises(ContentInvalid, match="`annex` has 0 people with the role `ledger-owner`"):
        content.pick("ledger-move", "annex")


@pytest.mark.parametrize(
    ("playbook", "environment", "phrase"),
    [
        ("ledger-mov", "office", "there is no playbook `ledger-mov`; did you mean `ledger-move`?"),
        ("ledger-move", "offic", "there is no environment `offic`; did you mean `office`?"),
        ("../ledger-move", "office", "there is no playbook"),
    ],
)
def test_name_that_is_unknown_is_refused_with_a_suggestion(
    root: Path, playbook: str, environment: str, phrase: str
) -> None:
    with pytest.raises(RequestRefused, match="there is no") as caught:
        load(root).pick(playbook, environment)

    assert phrase in str(caught.value)


def test_root_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestRefused, match="is no folder"):
        load(tmp_path / "nowhere")


def test_environment_without_the_wanted_engine_is_not_meant_for_a_playbook(root: Path) -> None:
    spoil(root, PLAYBOOK, "engine: postgresql", "engine: mariadb")
    spoil(root, PLAYBOOK, "post-an-entry:", "sail-away:")

    assert load(root).problems == ()


def test_locator_finds_each_document(root: Path) -> None:
    locate = load(root).locator("ledger-move", "annex")

    assert locate("playbook", ("steps", 0, "expect", 0, "ssh", "run")) == Position(
        PLAYBOOK, 18, 14
    )
    assert locate("checklist ledger-last-look", ("items", 0, "ask")) == Position(LAST_LOOK, 5, 10)
    assert locate("invariants", ("invariants", 0, "sql", "on")) == Position(INVARIANTS, 5, 15)
    assert locate("journey post-an-entry", ("actions", 1)) == Position(JOURNEY, 14, 5)
    assert locate("environment", ("people", "lin", "name")) == Position(PEOPLE, 3, 15)
    assert locate("environment", ("policy", "start", 0)) == Position(POLICY, 1, 9)
    assert locate("environment", ("title",)) == Position(ANNEX, 3, 8)
    assert locate("environment", ("services", "web", "port")) == Position(OFFICE, 20, 11)
    assert locate("environment", ("hosts", "led-2")).file == ANNEX_INVENTORY


def test_closure_is_every_file_that_a_plan_depends_on(root: Path) -> None:
    (root / "playbooks/ledger-move/tests/__pycache__").mkdir()
    (root / "playbooks/ledger-move/tests/__pycache__/x.pyc").write_bytes(b"\0")

    files = load(root).closure("ledger-move", "annex")

    assert list(files) == [
        LAST_LOOK,
        PREFLIGHT,
        ANNEX,
        ANNEX_INVENTORY,
        OFFICE,
        INVARIANTS,
        JOURNEY,
        PEOPLE,
        POLICY,
        "playbooks/ledger-move/ansible/warm.yml",
        PLAYBOOK,
        "playbooks/ledger-move/tests/test_ledger.py",
    ]
    assert files[PLAYBOOK] == (root / PLAYBOOK).read_bytes()


def test_closure_is_what_was_checked_whatever_is_edited_since(root: Path) -> None:
    content = load(root)
    before = dict(content.closure("ledger-move", "office"))
    for file in before:
        (root / file).write_text("edited after it was checked")

    assert content.closure("ledger-move", "office") == before


def test_example_lints_in_the_same_way_each_time(root: Path) -> None:
    spoil(root, PLAYBOOK, "title:", "titel:")
    spoil(root, OFFICE, "kind: staging", "kind: stage")

    assert load(root).problems == load(root).problems
