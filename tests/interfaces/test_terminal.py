"""What only a real process at a real terminal shows: prompts, Ctrl-C, pipes, the waiting line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.adapters.run_folder import RunFolder
from orchestrator.adapters.system import SystemClock
from orchestrator.domain.run import Event, ExitCode, ItemSigned, RunId
from orchestrator.domain.verdict import Verdict
from tests.support.builders import ended
from tests.support.command_line import RECOVER, ROOT, call, surroundings
from tests.support.kept_runs import keep_run
from tests.support.switchovers import held, verified, waiting
from tests.support.terminals import at_terminal
from tests.support.waiting import wait_until

CTRL_C = "\x03"


def append(state: Path, run: RunId, event: Event) -> None:
    journal = SqliteJournal(state / "journal.sqlite3", SystemClock())
    journal.append(run, after=journal.read(run)[-1].seq, events=[event])


def newest(state: Path, run: RunId) -> Event:
    return SqliteJournal(state / "journal.sqlite3", SystemClock()).read(run)[-1].event


def test_a_gate_can_be_answered_at_the_prompt(tmp_path: Path) -> None:
    run = keep_run(tmp_path, waiting())
    with (
        RunFolder(tmp_path, run).driving(),
        at_terminal("--state", str(tmp_path), "attach", run) as t,
    ):
        t.await_text("change-approved: Is this change approved?")
        t.await_text("signed by")
        t.type("grace\n")
        t.await_text("yes? [y/N]")
        t.type("y\n")
        wait_until(lambda: isinstance(newest(tmp_path, run), ItemSigned), "the signature")
        append(tmp_path, run, ended(Verdict.PASSED))

        assert t.leave() == ExitCode.VERIFIED
    assert "yes, grace" in t.shown


def test_an_answer_that_does_not_count_is_said_at_the_prompt(tmp_path: Path) -> None:
    run = keep_run(tmp_path, waiting())
    with (
        RunFolder(tmp_path, run).driving(),
        at_terminal("--state", str(tmp_path), "attach", run) as t,
    ):
        t.await_text("signed by")
        t.type("mallory\n")
        t.await_text("yes? [y/N]")
        t.type("y\n")
        t.await_text("not counted: mallory")
        append(tmp_path, run, ended(Verdict.PASSED))

        assert t.leave() == ExitCode.VERIFIED


def test_while_something_is_under_way_the_terminal_counts_the_seconds(tmp_path: Path) -> None:
    run = keep_run(tmp_path, waiting())
    with (
        RunFolder(tmp_path, run).driving(),
        at_terminal("--state", str(tmp_path), "attach", run) as t,
    ):
        t.await_text("signed by")
        t.type("\n")
        t.await_text("… people are asked, until")
        t.await_text("1.2 s")
        append(tmp_path, run, ended(Verdict.PASSED))

        assert t.leave() == ExitCode.VERIFIED
    assert t.shown.rindex("\x1b[K") < t.shown.rindex("orders-db is on db-a2")


@pytest.mark.parametrize("at_the_prompt", [True, False])
def test_ctrl_c_leaves_the_run_alone_and_says_how_to_come_back(
    at_the_prompt: bool, tmp_path: Path
) -> None:
    run = keep_run(tmp_path, waiting())
    with (
        RunFolder(tmp_path, run).driving(),
        at_terminal("--state", str(tmp_path), "attach", run) as t,
    ):
        t.await_text("signed by")
        if not at_the_prompt:
            t.type("\n")
            t.await_text("… people are asked")
        t.type(CTRL_C)

        assert t.leave() == ExitCode.UNKNOWN
        assert not isinstance(newest(tmp_path, run), ItemSigned)
    assert f"recover attach {run}" in t.shown
    assert "Traceback" not in t.shown


def test_who_reads_no_further_gets_no_complaint(tmp_path: Path) -> None:
    for number in range(30):
        keep_run(tmp_path, held(), f"r-{number:02}")
    ours, theirs = os.pipe()
    command = [*RECOVER, "--state", str(tmp_path), "attach", "r-00"]
    os.close(ours)
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=surroundings(),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(theirs)

    assert done.stderr == ""


def test_a_full_disk_behind_the_output_is_said(tmp_path: Path) -> None:
    keep_run(tmp_path, verified())
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*RECOVER, "--state", str(tmp_path), "runs"],
            cwd=ROOT,
            env=surroundings(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == ExitCode.INTERNAL
    assert done.stderr == "error: No space left on device\n"


def test_a_terminal_without_our_signs_is_shown_others(tmp_path: Path) -> None:
    run = keep_run(tmp_path, verified())

    told = call(
        "--state", str(tmp_path), "attach", run, env=surroundings(PYTHONIOENCODING="iso-8859-1")
    )

    assert (told.code, told.err) == (0, "")
    assert "\\u2713 checkpoint-primary" in told.out


def test_colours_are_for_terminals_that_want_them(tmp_path: Path) -> None:
    run = keep_run(tmp_path, verified())
    args = ("--state", str(tmp_path), "attach", run)

    with at_terminal(*args) as coloured:
        assert coloured.leave() == 0
    with at_terminal(*args, env=surroundings(TERM="xterm", NO_COLOR="1")) as plain:
        assert plain.leave() == 0

    assert "\x1b[32m" in coloured.shown
    assert "\x1b[" not in plain.shown
    assert "\x1b[" not in call(*args).out
