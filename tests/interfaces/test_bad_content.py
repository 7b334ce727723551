"""What careless and hostile authors write ends in a list of problems, and quickly."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.domain.run import ExitCode
from tests.interfaces.conftest import Recover
from tests.support.bad_content import BAD, PLAYBOOK, our_content
from tests.support.command_line import ROOT, surroundings

PROBLEM = re.compile(r"\S+:\d+:\d+: \S.*, .+, .+")
# Generous, because it takes less than a second and 64 MiB: a busy machine must not fail this.
MOST_CPU_S = 5
MOST_BYTES = 256 * 2**20


@pytest.mark.parametrize("name", BAD)
def test_bad_content_is_listed_with_positions_quickly_and_in_little_memory(
    name: str, tmp_path: Path
) -> None:
    root = our_content(tmp_path)
    BAD[name].spoil(root)

    done = subprocess.run(
        [sys.executable, "-m", "tests.support.measured", "--content", str(root), "lint"],
        cwd=ROOT,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    problems = done.stdout.splitlines()
    counted, took = done.stderr.splitlines()
    assert done.returncode == ExitCode.USAGE
    assert [line for line in problems if not PROBLEM.fullmatch(line)] == []
    assert BAD[name].told_of(root) in done.stdout
    assert counted == ("1 problem" if len(problems) == 1 else f"{len(problems)} problems")
    assert json.loads(took)["cpu_s"] < MOST_CPU_S
    assert json.loads(took)["peak_bytes"] < MOST_BYTES


def test_our_own_content_has_no_problems(recover: Recover) -> None:
    told = recover("lint")

    assert (told.code, told.out, told.err) == (0, "", "no problems\n")


def test_one_file_is_checked_within_its_content_and_only_it_is_told(
    recover: Recover, tmp_path: Path
) -> None:
    root = our_content(tmp_path)
    BAD["an unknown key"].spoil(root)
    BAD["a person without a role"].spoil(root)

    told = recover("lint", str(root / PLAYBOOK), content=tmp_path)

    assert told.code == ExitCode.USAGE
    assert {line.partition(":")[0] for line in told.out.splitlines()} == {PLAYBOOK}


def test_problems_for_programs_say_the_same(recover: Recover, tmp_path: Path) -> None:
    root = our_content(tmp_path)
    BAD["a wrong type"].spoil(root)

    told = recover("lint", "-o", "json", content=root)

    assert told.code == ExitCode.USAGE
    assert json.loads(told.out) == [
        {
            "file": PLAYBOOK,
            "line": 3,
            "column": 8,
            "what": "`title` is a list",
            "why": "text is wanted",
            "remedy": "write text, in quotes if it looks like something else",
        }
    ]


def test_nothing_to_check_is_a_problem_too(recover: Recover, tmp_path: Path) -> None:
    nowhere = recover("lint", str(tmp_path / "nowhere"))
    empty = recover("lint", str(tmp_path))

    assert nowhere.code == empty.code == ExitCode.USAGE
    assert "there is no such file" in nowhere.out
    assert "this is no content" in empty.out


def test_a_broken_playbook_is_no_hindrance_to_listing_the_others(
    recover: Recover, tmp_path: Path
) -> None:
    root = our_content(tmp_path)
    (root / "playbooks/broken").mkdir()
    (root / "playbooks/broken/playbook.yaml").write_text("playbook: [a, b\n")

    told = recover("playbooks", content=root)

    assert told.code == 0
    assert "database-switchover" in told.out.split()
    assert told.err == "1 problem: `recover lint` lists them\n"
    shown = recover("show", "broken", content=root)
    assert shown.code == ExitCode.USAGE
    assert "playbooks/broken/playbook.yaml:1:11: the list is not closed" in shown.err


def test_playbooks_for_programs_are_json(recover: Recover) -> None:
    rows = json.loads(recover("playbooks", "-o", "json").out)

    names = ["database-failover", "database-reprotect", "database-switchover"]
    assert [row["playbook"] for row in rows] == names


def test_a_playbook_is_shown_with_parameters_steps_gates_and_verification(
    recover: Recover,
) -> None:
    told = recover("show", "database-switchover")

    assert told.code == 0
    assert "  target (member, default best-standby)" in told.out
    assert "  gate database-point-of-no-return\n" in told.out
    assert "promote-target  cannot be taken back" in told.out
    assert "  journey place-an-order, 10 times in a row" in told.out
    assert [line for line in told.out.splitlines() if len(line) > 80] == []
