"""The lab where namespaces are forbidden: the same promises, kept by the loopback lab."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from orchestrator.lab import lifecycle
from orchestrator.lab.record import ROOT
from tests.support.lab import REPOSITORY, Lab, machine
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("as_root")]

_USER = "recover-lab-test"
_OPTIONS = ("-q", "-p", "no:cacheprovider")
_LAB = ("tests/lab/test_lab.py",)
_RECOVERIES = (
    *(
        f"tests/lab/test_faults.py::test_fault_is_felt_and_is_gone_when_it_is_healed[{fault}]"
        for fault in ("primary-killed", "primary-frozen", "host-off", "standby-lagging")
    ),
    "tests/lab/test_faults.py::test_loopback_lab_says_what_it_cannot_carry",
    "tests/lab/test_switchover.py::test_switchover_is_verified_and_users_lose_nothing",
    "tests/lab/test_switchover.py::test_old_primary_is_a_standby_of_the_new_one",
    "tests/lab/test_failover.py::test_failover_is_verified_and_loses_nothing",
)
_CAPABILITIES = "-sys_admin,-net_admin"
_AS = {
    "root without capabilities": [
        "setpriv",
        f"--bounding-set={_CAPABILITIES}",
        f"--inh-caps={_CAPABILITIES}",
    ],
    "an ordinary user": ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--init-groups"],
}


@pytest.fixture
def ordinary_user(tmp_path: Path) -> Iterator[Path]:
    """Somebody without privileges, and a directory of theirs; gone afterwards."""
    _remove_user()  # An interrupted test may have left it.
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", _USER], check=True)
    yield Path("/home", _USER)
    _remove_user()


@pytest.fixture(scope="module")
def down(lab: Lab) -> Iterator[None]:
    """No lab, and afterwards the session's lab again."""
    lifecycle.down(lab.home, print)
    yield
    assert lifecycle.up(lab.home, print).problems == ()


@pytest.mark.usefixtures("down")
@pytest.mark.parametrize(
    ("who", "suites"),
    [("root without capabilities", _LAB), ("an ordinary user", _LAB + _RECOVERIES)],
)
def test_everything_that_a_lab_promises_holds_for(
    who: str, suites: Sequence[str], ordinary_user: Path, tmp_path: Path
) -> None:
    before = machine()
    state = ordinary_user if who == "an ordinary user" else tmp_path

    suite = _run(who, state, "-m", "pytest", f"--basetemp={state}/tmp", *_OPTIONS, *suites)
    status = _run(who, state, "-m", "orchestrator", "lab", "status")
    down = _run(who, state, "-m", "orchestrator", "lab", "down")

    assert suite.returncode == 0, suite.stdout + suite.stderr
    assert "skipped" not in suite.stdout
    assert status.stdout.startswith("loopback lab, environment lab-loopback\n")
    assert down.stdout == "the lab is down\n"
    assert machine() == before


def _remove_user() -> None:
    theirs = [user for user in pwd.getpwall() if user.pw_name == _USER]
    for user in theirs:
        # What a test that failed left at work is theirs alone, and would keep the user there.
        subprocess.run(["pkill", "--signal", "KILL", "--uid", _USER], check=False)
        wait_until(_has_left, f"{_USER} runs nothing any more")
        if ROOT.exists() and ROOT.lstat().st_uid == user.pw_uid:
            shutil.rmtree(ROOT)
        subprocess.run(["userdel", "--remove", _USER], check=True, capture_output=True)


def _has_left() -> bool:
    return (
        subprocess.run(["pgrep", "--uid", _USER], capture_output=True, check=False).returncode == 1
    )


def _run(who: str, state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_AS[who], "--", sys.executable, *arguments],
        cwd=REPOSITORY,
        env=os.environ | {"RECOVER_STATE": str(state), "HOME": str(state)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
