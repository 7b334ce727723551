from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.domain.run import ExitCode
from tests.interfaces.conftest import Recover
from tests.support.bad_content import BAD, our_content
from tests.support.command_line import RECOVER, ROOT, Answer, call, surroundings
from tests.support.kept_runs import keep_run
from tests.support.switchovers import verified

WITHOUT_NAMESPACES = ("setpriv", "--bounding-set=-sys_admin,-net_admin")
IN_OWN_MOUNTS = ("unshare", "--mount", "--propagation=private")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes privileges away, or mounts")


def call_within(*command: str, state: Path) -> Answer:
    done = subprocess.run(
        [*command, *RECOVER, "--state", str(state), "doctor"],
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Answer(code=done.returncode, out=done.stdout, err=done.stderr)


def test_where_everything_is_the_doctor_is_content(recover: Recover, state: Path) -> None:
    keep_run(state, verified())

    told = recover("doctor")

    assert (told.code, told.err) == (0, "")
    assert "✗" not in told.out
    assert f"✓ content           {ROOT}" in told.out
    assert "✓ journal           runs: 1" in told.out


def test_what_is_missing_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    env = surroundings(PATH=str(tmp_path), HOME=str(tmp_path))

    told = call("--content", str(tmp_path), "--state", "/dev/null/below", "doctor", env=env)

    assert told.code == ExitCode.INTERNAL
    assert "→ apt-get install openssh-client" in told.out
    assert "✗ content           no folder playbooks in" in told.out
    assert "✗ state             /dev/null cannot be written" in told.out
    assert "→ give --state DIR or RECOVER_STATE" in told.out
    assert told.err.endswith("missing: the lines with ✗ say how to get it\n")


def test_a_journal_that_cannot_be_read_is_found(recover: Recover, state: Path) -> None:
    state.mkdir()
    (state / "journal.sqlite3").write_text("no journal" * 1000)

    told = recover("doctor")

    assert told.code == ExitCode.INTERNAL
    assert "✗ journal" in told.out


def test_problems_of_the_content_are_counted_and_are_no_lack(
    recover: Recover, tmp_path: Path
) -> None:
    root = our_content(tmp_path)
    BAD["a wrong type"].spoil(root)

    told = recover("doctor", content=root)

    assert told.code == 0
    assert "with problems: 1" in " ".join(told.out.split())
    assert "→ recover lint lists them" in told.out


@needs_root
def test_without_namespaces_the_loopback_lab_serves(tmp_path: Path) -> None:
    told = call_within(*WITHOUT_NAMESPACES, state=tmp_path)

    assert told.code == 0
    assert "▲ lab, full" in told.out
    assert "builds the loopback lab instead" in " ".join(told.out.split())


@needs_root
def test_packages_that_the_lab_lacks_are_named_with_their_command(tmp_path: Path) -> None:
    hide = 'mount -t tmpfs none /usr/lib/postgresql && exec "$@"'
    may_mount = subprocess.run(
        [*IN_OWN_MOUNTS, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
    )
    if may_mount.returncode:
        pytest.skip("this machine lets nobody mount")

    told = call_within(*IN_OWN_MOUNTS, "sh", "-c", hide, "sh", state=tmp_path)

    flat = " ".join(told.out.split())
    assert told.code == ExitCode.INTERNAL
    assert "apt-get install --no-install-recommends postgresql-15 postgresql-client-15" in flat
    assert told.err.startswith("1 missing") or told.err.startswith("\n1 missing")
