"""What belongs to one run beside the journal."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.adapters.run_folder import OUTPUT_LIMIT, RunFolder
from orchestrator.domain.errors import JournalBroken, RequestRefused
from tests.support.builders import RUN, a_plan
from tests.support.recoveries import a_switchover

DRIVER = """
import sys
from pathlib import Path
from orchestrator.adapters.run_folder import RunFolder
from orchestrator.domain.run import RunId

with RunFolder(Path(sys.argv[1]), RunId(sys.argv[2])).driving():
    print("driving", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path, RUN)
    folder.freeze(a_switchover(), {"playbooks/x/playbook.yaml": b"playbook: x\n"})
    return folder


def test_frozen_plan_reads_back_with_the_digest_that_was_shown(folder: RunFolder) -> None:
    plan = a_switchover()

    read = folder.plan(plan.digest)

    assert read.digest == plan.digest
    assert [step.name for step in read.actions] == [step.name for step in plan.actions]


def test_frozen_content_lies_beside_the_plan(folder: RunFolder) -> None:
    assert (folder.content / "playbooks/x/playbook.yaml").read_bytes() == b"playbook: x\n"


def test_run_folder_is_for_its_owner_only(folder: RunFolder) -> None:
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_names_of_what_others_write_lie_in_the_folder(folder: RunFolder) -> None:
    assert {folder.samples.parent, folder.driver_log.parent} == {folder.path}


def test_other_plan_than_was_shown_is_refused(folder: RunFolder) -> None:
    edited = replace(a_switchover(), title="Something else")

    with pytest.raises(JournalBroken, match="is not the plan that was shown"):
        folder.plan(edited.digest)


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff\xfe", b'{"playbook": 1}'])
def test_plan_that_was_damaged_is_refused(folder: RunFolder, text: bytes) -> None:
    (folder.path / "plan.json").write_bytes(text)

    with pytest.raises(JournalBroken):
        folder.plan(a_plan().digest)


def test_plan_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalBroken, match="cannot be read"):
        RunFolder(tmp_path, RUN).plan("0" * 64)


@pytest.mark.parametrize("text", ["CHECKPOINT", "主库 \udce4"], ids=["plain", "broken bytes"])
def test_output_is_kept_under_its_name(folder: RunFolder, text: str) -> None:
    name = folder.keep("promote-1.txt", text)

    assert name == "output/promote-1.txt"
    kept = (folder.path / name).read_bytes()
    assert kept == text.encode("utf-8", errors="backslashreplace")


def test_output_of_an_included_playbook_lies_in_a_folder_of_its_own(folder: RunFolder) -> None:
    kept_as = folder.keep("cutover/failover/promote-1.txt", "done")

    assert (folder.path / kept_as).read_text() == "done"


def test_very_long_output_keeps_head_and_tail(folder: RunFolder) -> None:
    name = folder.keep("flood.txt", "head" + "x" * (2 * OUTPUT_LIMIT) + "tail")

    kept = (folder.path / name).read_text()
    assert len(kept) < OUTPUT_LIMIT + 100
    assert kept.startswith("head")
    assert kept.endswith("tail")
    assert f"{OUTPUT_LIMIT + 8} characters left out" in kept


def test_output_that_cannot_be_kept_stops_the_run(folder: RunFolder) -> None:
    (folder.path / "output").write_text("a file where the folder should be")

    with pytest.raises(JournalBroken, match="output cannot be kept"):
        folder.keep("promote-1.txt", "CHECKPOINT")


def test_run_that_was_never_driven_has_no_driver(folder: RunFolder) -> None:
    assert not folder.has_driver()


def test_second_driver_is_refused_while_the_first_lives(folder: RunFolder) -> None:
    refused = pytest.raises(RequestRefused, match="has a driver already")
    with folder.driving(), refused, folder.driving():
        pass

    assert not folder.has_driver()


def test_kernel_frees_the_run_of_a_killed_driver(folder: RunFolder, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", DRIVER, str(tmp_path), RUN]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"driving\n"
        was_driven = folder.has_driver()
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()

    assert was_driven
    assert not folder.has_driver()


def test_those_who_look_for_a_driver_never_turn_one_away(folder: RunFolder) -> None:
    def look() -> int:
        return sum(folder.has_driver() for _ in range(3000))

    with ThreadPoolExecutor(2) as pool:
        lookers = [pool.submit(look) for _ in range(2)]
        rounds = 0
        while not all(looker.done() for looker in lookers):
            with folder.driving():
                rounds += 1

    assert rounds > 0
    assert sum(looker.result() for looker in lookers) > 0
