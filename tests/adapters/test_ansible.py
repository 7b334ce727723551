"""Plays of real Ansible over a real sshd: what they do, and what they cannot."""

from __future__ import annotations

import json
import multiprocessing
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.actions.ansible import AnsibleActor
from orchestrator.adapters.frozen_files import FrozenPlaybooks
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.errors import ContentInvalid, TargetUnavailable
from orchestrator.domain.playbook import StepName
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport
from tests.support.actions import AN_ATTEMPT, an_action
from tests.support.builders import a_plan_with_a_child
from tests.support.environments import a_host, an_environment
from tests.support.real_sshd import RealSshd
from tests.support.waiting import wait_until

WITHIN = timedelta(seconds=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "database-switchover").mkdir()
    return tmp_path


@pytest.fixture
def actor(sshd: RealSshd, folder: Path, closed_port: int) -> AnsibleActor:
    environment = an_environment(
        hosts=[
            sshd.host("db-a1", greeting="hello", ansible_ssh_common_args="-o Port=1"),
            a_host("db-down", ansible_port=closed_port),
        ],
        ssh=sshd.ssh,
    )
    return AnsibleActor(
        environment,
        SecretStore(sshd.folder),
        playbooks=FrozenPlaybooks(plan=a_plan_with_a_child(), root=folder),
        work_folder=folder / "work",
    )


def a_play(folder: Path, *tasks: dict[str, object], playbook: str = "database-switchover") -> None:
    play = [{"hosts": "all", "gather_facts": False, "tasks": list(tasks)}]
    (folder / playbook / "play.yml").write_text(json.dumps(play))


def perform(
    actor: AnsibleActor, *on: str, within: timedelta = WITHIN, **inputs: object
) -> ActionReport:
    action = an_action("ansible", play="play.yml", on=list(on), **inputs)
    return actor.perform(action, AN_ATTEMPT, within=within)


def copy_of(text: str, dest: Path) -> dict[str, object]:
    return {"ansible.builtin.copy": {"content": text, "dest": str(dest)}}


def test_a_play_changes_the_host_with_our_variables(actor: AnsibleActor, folder: Path) -> None:
    said = folder / "said"
    a_play(folder, copy_of("{{ greeting }} {{ name }}", said))

    report = perform(actor, "orders-db/db-a1", variables={"name": "world"})

    assert (report.outcome, report.detail) == (Outcome.DONE, "changed db-a1")
    assert said.read_text() == "hello world"


def test_a_play_has_no_terminal(actor: AnsibleActor, folder: Path) -> None:
    said = folder / "said"
    script = folder / "database-switchover" / "look.sh"
    script.write_text(f"#!/bin/sh\ntest -t 1 && echo terminal > {said} || echo none > {said}\n")
    a_play(folder, {"ansible.builtin.script": "look.sh"})

    report = perform(actor, "orders-db/db-a1")

    assert report.outcome is Outcome.DONE
    assert said.read_text() == "none\n"


def test_a_play_of_an_included_playbook_lies_in_that_one_s_folder(
    actor: AnsibleActor, folder: Path
) -> None:
    said = folder / "said"
    (folder / "database-reprotect").mkdir()
    a_play(folder, copy_of("by the child", said), playbook="database-reprotect")
    attempt = replace(AN_ATTEMPT, step=StepName("database-reprotect/rewind"))

    report = actor.perform(
        an_action("ansible", play="play.yml", on="db-a1"), attempt, within=WITHIN
    )

    assert report.outcome is Outcome.DONE
    assert said.read_text() == "by the child"


def test_a_failed_task_is_a_failed_play(actor: AnsibleActor, folder: Path) -> None:
    a_play(folder, {"ansible.builtin.command": {"argv": ["false"]}})

    report = perform(actor, "db-a1")

    assert (report.outcome, report.detail) == (Outcome.FAILED, "failed on db-a1")
    assert "non-zero return code" in report.output


def test_an_unreachable_host_is_unknown_though_another_is_well(
    actor: AnsibleActor, folder: Path
) -> None:
    a_play(folder, {"ansible.builtin.ping": {}})

    report = perform(actor, "db-a1", "db-down")

    assert (report.outcome, report.detail) == (Outcome.UNKNOWN, "unreachable: db-down")


def test_a_play_that_is_no_play_tells_why(actor: AnsibleActor, folder: Path) -> None:
    a_play(folder, {"no.such.module": {}})

    report = perform(actor, "db-a1")

    assert report.outcome is Outcome.FAILED
    assert "no.such.module" in report.output


def processes_of(folder: Path) -> set[int]:
    """Return every process of this machine that was told of *folder*."""

    def is_told(pid: str) -> bool:
        try:
            return str(folder / "work").encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    pids = (entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return {int(pid) for pid in pids if is_told(pid)}


def a_long_play(folder: Path) -> Path:
    """Write a play that takes a minute, and return the file that tells that it has begun."""
    started = folder / "started"
    a_play(folder, copy_of("", started), {"ansible.builtin.command": {"argv": ["sleep", "60"]}})
    return started


def test_a_play_that_is_cut_off_leaves_no_process(actor: AnsibleActor, folder: Path) -> None:
    started = a_long_play(folder)
    reports: list[ActionReport] = []
    player = threading.Thread(
        target=lambda: reports.append(perform(actor, "db-a1", within=timedelta(seconds=15)))
    )
    player.start()
    wait_until(started.exists, "the play runs")
    assert processes_of(folder)
    player.join()

    assert reports[0].outcome is Outcome.UNKNOWN
    assert not processes_of(folder)


def test_a_play_ends_with_its_controller(actor: AnsibleActor, folder: Path) -> None:
    started = a_long_play(folder)
    controller = multiprocessing.get_context("fork").Process(target=perform, args=(actor, "db-a1"))
    controller.start()
    wait_until(started.exists, "the play runs")
    assert processes_of(folder)

    controller.kill()
    controller.join()

    wait_until(lambda: not processes_of(folder), "no process of the play is left")


def test_a_host_that_falls_silent_under_a_play_is_unknown_soon(
    actor: AnsibleActor, folder: Path, sshd: RealSshd
) -> None:
    started = a_long_play(folder)
    reports: list[ActionReport] = []
    player = threading.Thread(target=lambda: reports.append(perform(actor, "db-a1")))
    player.start()
    wait_until(started.exists, "the play runs")
    sshd.freeze()
    began = time.monotonic()
    try:
        player.join()
    finally:
        sshd.thaw()

    assert (reports[0].outcome, reports[0].detail) == (Outcome.UNKNOWN, "unreachable: db-a1")
    assert time.monotonic() - began < 30


def test_what_lies_about_is_not_loaded(
    actor: AnsibleActor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = folder / "planted"
    evil = folder / "evil"
    (evil / "library").mkdir(parents=True)
    code = f"open({str(planted)!r}, 'w').close()"
    (evil / "library" / "ping.py").write_text(code)
    (evil / "sitecustomize.py").write_text(code)
    (evil / "ansible_runner.py").write_text(code)
    (evil / "ansible.cfg").write_text(f"[defaults]\nlibrary={evil}/library\n")
    monkeypatch.chdir(evil)
    for name, value in {
        "ANSIBLE_CONFIG": f"{evil}/ansible.cfg",
        "ANSIBLE_LIBRARY": f"{evil}/library",
        "ANSIBLE_SSH_ARGS": f"-o ProxyCommand='touch {planted}'",
        "PYTHONPATH": str(evil),
        "RECOVER_PASSWORD": "of-a-test",
    }.items():
        monkeypatch.setenv(name, value)
    a_play(folder, {"ansible.builtin.ping": {}})

    report = perform(actor, "db-a1")

    assert report.outcome is Outcome.DONE
    assert not planted.exists()
    written = (file for file in (folder / "work").rglob("*") if file.is_file())
    assert not [file for file in written if b"of-a-test" in file.read_bytes()]


@pytest.mark.parametrize("play", ["../outside.yml", "/etc/hosts", "linked.yml", "missing.yml"])
def test_a_play_from_elsewhere_is_not_run(actor: AnsibleActor, folder: Path, play: str) -> None:
    (folder / "outside.yml").write_text("[]")
    (folder / "database-switchover" / "linked.yml").symlink_to(folder / "outside.yml")

    with pytest.raises(TargetUnavailable, match="no file"):
        actor.perform(an_action("ansible", play=play, on="db-a1"), AN_ATTEMPT, within=WITHIN)


def test_a_template_in_variables_is_refused(actor: AnsibleActor, folder: Path) -> None:
    a_play(folder, {"ansible.builtin.ping": {}})

    with pytest.raises(ContentInvalid, match="template"):
        perform(actor, "db-a1", variables={"name": ["{{ lookup('pipe', 'id') }}"]})
