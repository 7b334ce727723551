"""Taking the lab down, at any moment. These tests leave it up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from orchestrator.lab import full, lifecycle, loopback
from orchestrator.lab.errors import KeysLost, LabBusy
from orchestrator.lab.hosts import HostView, dead_hosts, start_host
from orchestrator.lab.network import build_networks
from orchestrator.lab.readiness import last_words
from orchestrator.lab.record import ROOT, claim_root, exclusive
from orchestrator.lab.status import NO_LAB
from orchestrator.lab.topology import FULL
from tests.support.lab import REPOSITORY, Lab, machine, wait_until

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module", autouse=True)
def restored(lab: Lab) -> Iterator[None]:
    yield
    assert lifecycle.up(lab.home, print).problems == ()


@pytest.fixture(scope="module", autouse=True)
def without(lab: Lab, restored: None) -> Mapping[str, frozenset[str]]:
    """What this machine has without the lab, of what a lab may leave behind."""
    lifecycle.down(lab.home, print)
    return machine()


@pytest.fixture
def down(lab: Lab) -> Lab:
    """No lab, and the keys to the one that is to be."""
    lifecycle.down(lab.home, print)
    return lab


def _recorded(_: str) -> bool:
    return (ROOT / "lab.json").exists()


def _host_started(_: str) -> bool:
    return any(ROOT.glob("*/seed")) or any(ROOT.glob("*/sshd_config"))


def _database_made(_: str) -> bool:
    return any(ROOT.glob("db-a1/postgresql/**/postmaster.opts"))


def _standby_copied(_: str) -> bool:
    return any(ROOT.glob("db-b1/postgresql/**/standby.signal"))


def _hosts_up(said: str) -> bool:
    return "hosts up" in said


_MOMENTS = [_recorded, _host_started, _database_made, _standby_copied, _hosts_up]


@pytest.mark.parametrize("reached", _MOMENTS, ids=lambda f: f.__name__.strip("_"))
def test_up_that_was_killed_is_cleared_away_by_down(
    down: Lab, tmp_path: Path, reached: Callable[[str], bool]
) -> None:
    before = machine()
    _kill_up_when(reached, down.home, tmp_path / "said")
    assert machine() != before

    lifecycle.down(down.home, print)

    assert machine() == before


def test_up_after_one_that_was_killed_starts_afresh(down: Lab, tmp_path: Path) -> None:
    _kill_up_when(_host_started, down.home, tmp_path / "said")
    assert "run it again" in lifecycle.status(down.home).problems[0]
    said: list[str] = []

    status = lifecycle.up(down.home, said.append)

    assert said[0] == "clearing away what is left of an earlier lab"
    assert status.problems == ()


def test_down_leaves_nothing_of_the_lab_behind(
    lab: Lab, without: Mapping[str, frozenset[str]]
) -> None:
    lifecycle.up(lab.home, print)
    assert machine() != without

    lifecycle.down(lab.home, print)

    assert machine() == without
    assert lifecycle.status(lab.home) == NO_LAB
    assert [path.name for path in lab.home.iterdir()] == []


def test_lab_of_another_version_is_cleared_away_before_the_new_one(down: Lab) -> None:
    claim_root()
    (ROOT / "lab.json").write_text('{"hosts": 3}', encoding="utf-8")
    said: list[str] = []

    status = lifecycle.up(down.home, said.append)

    assert said[0] == "clearing away what is left of an earlier lab"
    assert status.problems == ()


def test_lab_that_a_restart_of_the_machine_took_is_built_anew(lab: Lab) -> None:
    lifecycle.up(lab.home, print)
    (full if lab.blueprint is FULL else loopback).remove()
    assert lifecycle.status(lab.home).problems != ()
    said: list[str] = []

    status = lifecycle.up(lab.home, said.append)

    assert said[0] == "clearing away what is left of an earlier lab"
    assert status.problems == ()


def test_lab_whose_keys_are_gone_is_said_to_be_so_and_can_be_taken_down(lab: Lab) -> None:
    lifecycle.up(lab.home, print)
    (lab.home / "identity").unlink()

    with pytest.raises(KeysLost, match="run `recover lab down`"):
        lifecycle.up(lab.home, print)

    lifecycle.down(lab.home, print)
    assert lifecycle.status(lab.home) == NO_LAB


@pytest.mark.usefixtures("full_lab", "down")
def test_host_that_dies_at_boot_says_why(tmp_path: Path) -> None:
    build_networks()
    try:
        start_host(
            "client-1", HostView(files={}, data="/no/such/directory"), tmp_path / "client-1"
        )

        wait_until(lambda: dead_hosts(["client-1"]), "the end of the host")
        words = wait_until(lambda: last_words(tmp_path), "its last words")
        assert "/no/such/directory" in words["client-1"]
    finally:
        full.remove()


def test_down_without_a_lab_says_so(down: Lab) -> None:
    said: list[str] = []

    lifecycle.down(down.home, said.append)

    assert said == ["there was no lab"]


@pytest.mark.usefixtures("as_root")
def test_directory_of_somebody_else_is_not_touched(down: Lab) -> None:
    ROOT.mkdir()
    (ROOT / "treasure").touch()
    os.chown(ROOT, 65534, 65534)
    try:
        for refused in (lifecycle.up, lifecycle.down):
            with pytest.raises(LabBusy, match="owner uid 65534"):
                refused(down.home, print)
        assert (ROOT / "treasure").exists()
    finally:
        (ROOT / "treasure").unlink()
        ROOT.rmdir()


def test_second_up_waits_for_the_first(down: Lab) -> None:
    with exclusive():
        waiting = _start_up(down.home, subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1)
        assert not ROOT.exists()

    said, _ = waiting.communicate(timeout=60)

    assert waiting.returncode == 0, said
    assert "hosts up" in said


def _kill_up_when(reached: Callable[[str], bool], home: Path, said: Path) -> None:
    with said.open("w") as stream:
        process = _start_up(home, stream.fileno())
        try:
            wait_until(lambda: reached(said.read_text()), reached.__name__)
            assert process.poll() is None, "`up` was quicker than this test"
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _start_up(home: Path, stdout: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "--state", str(home.parent), "lab", "up"],
        cwd=REPOSITORY,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        text=True,
    )
