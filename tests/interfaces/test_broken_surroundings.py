"""Nothing that is wrong around us ends in a traceback."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.domain.run import ExitCode
from tests.interfaces.conftest import Recover
from tests.support.command_line import RECOVER, ROOT, call, surroundings
from tests.support.kept_runs import keep_run
from tests.support.switchovers import verified

COMMANDS = (("runs",), ("attach", "latest"), ("locks",), ("sign", "latest"), ("resume", "latest"))


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_a_state_that_is_no_folder_is_named(args: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    told = call("--state", str(file / "below"), *args)

    assert told.code == ExitCode.INTERNAL
    assert told.err.startswith(f"error: the journal {file}/below/journal.sqlite3 cannot be used")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_a_journal_that_is_none_is_named(args: tuple[str, ...], tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite3"
    journal.write_text("this was a journal once\n" * 100)

    told = call("--state", str(tmp_path), *args)

    assert told.code == ExitCode.INTERNAL
    assert told.err == f"error: the journal {journal} cannot be used: file is not a database\n"


@pytest.mark.parametrize("page", [1, 3])
def test_a_journal_with_a_torn_page_is_named(page: int, tmp_path: Path) -> None:
    run = keep_run(tmp_path, verified())
    journal = tmp_path / "journal.sqlite3"
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    torn = bytearray(journal.read_bytes())
    torn[page * 4096 : (page + 1) * 4096] = b"\xff" * 4096
    journal.write_bytes(torn)

    told = call("--state", str(tmp_path), "attach", run)

    assert told.code == ExitCode.INTERNAL
    assert told.err.startswith(f"error: the journal {journal} cannot be used: ")
    assert told.err.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("mode", [0o500, 0o000], ids=["not writable", "not readable"])
def test_a_state_of_somebody_else_is_named(mode: int, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    for folder in (tmp_path, *list(tmp_path.parents)[:-2]):
        folder.chmod(0o755)
    state.chmod(mode)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    done = subprocess.run(
        [*nobody, *RECOVER, "--state", str(state), "runs"],
        cwd=ROOT,
        env=surroundings(HOME="/nonexistent"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == ExitCode.INTERNAL
    assert done.stderr.startswith(f"error: the journal {state}/journal.sqlite3 cannot be used")


def test_a_report_into_nowhere_is_named(recover: Recover, state: Path, tmp_path: Path) -> None:
    run = keep_run(state, verified())
    file = tmp_path / "nowhere/report.html"

    told = recover("report", run, "-o", str(file))

    assert (told.code, told.err) == (1, f"error: {file}: No such file or directory\n")


def test_a_run_whose_folder_was_removed_still_ends_the_command(
    recover: Recover, state: Path
) -> None:
    run = keep_run(state, verified())
    for file in (state / "runs" / run).iterdir():
        file.unlink()

    assert "the frozen plan cannot be read" in recover("attach", run).err
    assert recover("runs").code == 0


def test_a_home_that_there_is_not_is_no_defect(tmp_path: Path) -> None:
    told = call("runs", env=surroundings(HOME=str(tmp_path / "nowhere"), XDG_STATE_HOME=""))

    assert (told.code, told.out) == (0, "no run yet\n")


def test_a_closed_output_is_no_defect(tmp_path: Path) -> None:
    shell = 'exec "$@" >&-'
    command = ["sh", "-c", shell, "sh", *RECOVER, "--state", str(tmp_path), "runs"]

    done = subprocess.run(
        command, cwd=ROOT, env=surroundings(), stderr=subprocess.PIPE, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_defect_of_ours_is_called_one_and_shows_where_when_asked() -> None:
    code = (
        "from orchestrator.interfaces.failing import tell_failure\n"
        "try: {}['nothing']\n"
        "except KeyError as error: raise SystemExit(tell_failure(error))"
    )
    asked = surroundings(RECOVER_TRACEBACK="1")
    command = [sys.executable, "-c", code]

    plain, shown = (
        subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        for env in (surroundings(), asked)
    )

    assert plain.returncode == shown.returncode == ExitCode.INTERNAL
    assert plain.stderr.startswith("error: a defect of this program, KeyError: 'nothing'\n")
    assert "Traceback" not in plain.stderr
    assert "Traceback" in shown.stderr
