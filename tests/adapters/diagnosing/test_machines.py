"""The machine of a primary, over a real SSH server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.adapters.diagnosing.machines import look_at_machine
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from tests.support.environments import an_environment
from tests.support.real_sshd import RealSshd


def test_a_full_disk_is_seen_on_the_machine(sshd: RealSshd, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    (tmp_path / "pg_wal").mkdir()
    with a_small_disk(tmp_path / "pg_wal") as disk:
        host = sshd.host("db-a1", postgresql_data=str(tmp_path))
        environment = an_environment(hosts=[host], ssh=sshd.ssh)
        sessions = SshSessions(environment, SecretStore(sshd.folder))
        machine = look_at_machine(host, sessions)
        sessions.close()

    assert machine.full_disk == str(disk)
    assert machine.detail == f"{disk} is full (0% used)"


def test_a_machine_of_which_nothing_is_known_is_only_reached(sshd: RealSshd) -> None:
    host = sshd.host("db-a1")
    sessions = SshSessions(an_environment(hosts=[host], ssh=sshd.ssh), SecretStore(sshd.folder))

    machine = look_at_machine(host, sessions)
    sessions.close()

    assert (machine.is_reached, machine.full_disk, machine.redo_bytes) == (True, "", None)


@contextmanager
def a_small_disk(folder: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
