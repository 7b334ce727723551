"""Action ``ansible``: a play of the playbook's frozen folder on some of its hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pydantic import with_config

from orchestrator.adapters.actions import ansible_process
from orchestrator.adapters.frozen_files import FrozenPlaybooks
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.output import BoundedOutput
from orchestrator.adapters.ssh_config import ssh_config
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.targets import host_of, login_of
from orchestrator.adapters.trouble import first_line
from orchestrator.domain.environment import Environment, Host
from orchestrator.domain.playbook import Action
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport, Attempt

OBEYED_VARIABLES = ("ansible_python_interpreter",)
"""Of the variables that steer Ansible; how to connect is said by us."""
POLL_S = 0.2
"""How often the runner looks whether Ansible has ended; its default is 5 s."""
END_LIMIT_S = 5.0
CHUNK_BYTES = 64 * 1024
OUTPUT_HEAD_BYTES = 512 * 1024
IDENT = "play"
ENDED = ("successful", "failed")
TEMPLATE_MARKS = ("{{", "{%", "{#")


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class AnsibleInputs:
    """One play.

    Attributes:
        play: A file of the folder of the playbook that the step was written in.
        on: A host, or a member as ``service/host``, or several.
        variables: Given to the play as they are; templates belong into the play.
    """

    play: str
    on: str | tuple[str, ...]
    variables: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(mark in json.dumps(dict(self.variables)) for mark in TEMPLATE_MARKS):
            raise ValueError("variables hold a template: write it into the play")

    @property
    def targets(self) -> tuple[str, ...]:
        """Every host to play on."""
        return (self.on,) if isinstance(self.on, str) else self.on


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What ansible-runner made of it. A target can forge its events: never a verdict.

    Attributes:
        stats: By kind (``ok``, ``dark``, …) how many tasks, by host.
    """

    status: str
    stats: Mapping[str, Mapping[str, int]] | None

    def hosts(self, kind: str, *, among: Sequence[str]) -> list[str]:
        return [host for host in among if host in (self.stats or {}).get(kind, {})]


class AnsibleActor:
    """Runs plays with ansible-runner, in a process and a folder of their own."""

    def __init__(
        self,
        environment: Environment,
        secrets: SecretStore,
        *,
        playbooks: FrozenPlaybooks,
        work_folder: Path,
    ) -> None:
        self._environment = environment
        self._secrets = secrets
        self._playbooks = playbooks
        self._work_folder = work_folder

    def perform(self, action: Action, attempt: Attempt, *, within: timedelta) -> ActionReport:
        """Play once. A host that was lost on the way, or a play that was cut off, is ``UNKNOWN``.

        Raises:
            TargetUnavailable: If nothing was started.
        """
        inputs = parse(AnsibleInputs, action.inputs)
        hosts = [host_of(self._environment, target) for target in inputs.targets]
        play = self._playbooks.find(inputs.play, of=attempt.step)
        self._work_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        prefix = f"{attempt.step}-{attempt.number}-".replace("/", ".")
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=self._work_folder.resolve()))
        self._furnish(folder)
        arguments = _runner_arguments(folder, play, hosts, inputs.variables)
        answer = _run(folder, arguments, within)
        return _report(answer, [host.name for host in hosts], _output(folder))

    def _furnish(self, folder: Path) -> None:
        """Write everything that Ansible is told, apart from the play."""
        hosts = self._environment.hosts.values()
        inventory = {"all": {"hosts": {host.name: _variables_of(host) for host in hosts}}}
        (folder / "inventory.json").write_text(json.dumps(inventory))
        config = ssh_config([], self._environment.ssh, self._secrets)
        (folder / "ssh_config").write_text(config)
        (folder / "ansible.cfg").write_text(_ansible_config(folder))


def _variables_of(host: Host) -> Mapping[str, object]:
    user, port = login_of(host)
    own = {
        name: value
        for name, value in host.variables.items()
        if name in OBEYED_VARIABLES or not name.startswith("ansible_")
    }
    connection = {"ansible_host": host.reached_at, "ansible_port": port, "ansible_user": user}
    return {**own, **connection, "ansible_connection": "ssh"}


def _ansible_config(folder: Path) -> str:
    """Return Ansible's settings; without a terminal, which not every host has for its users."""
    return f"""[defaults]
home = {folder}/home
local_tmp = {folder}/home/tmp
host_key_checking = True
retry_files_enabled = False
interpreter_python = auto_silent
nocolor = True
[ssh_connection]
ssh_args = -F {folder}/ssh_config -o ControlMaster=auto -o ControlPersist=60s
pipelining = True
usetty = False
"""


def _runner_arguments(
    folder: Path, play: Path, hosts: Sequence[Host], variables: Mapping[str, object]
) -> Mapping[str, object]:
    return {
        "private_data_dir": str(folder),
        "ident": IDENT,
        "playbook": str(play),
        "inventory": str(folder / "inventory.json"),
        "limit": ",".join(host.name for host in hosts),
        "extravars": dict(variables),
        "settings": {"pexpect_timeout": POLL_S},
        "quiet": True,
    }


def _run(folder: Path, arguments: Mapping[str, object], within: timedelta) -> _Answer | None:
    """Return the runner's answer; ``None`` if there is none."""
    answer_file = folder / "answer.json"
    with (folder / "process.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", ansible_process.__file__, str(answer_file)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_surroundings(folder),
            text=True,
        )
    try:
        with suppress(subprocess.TimeoutExpired):
            given = json.dumps({**arguments, "parent": os.getpid()})
            process.communicate(given, timeout=within.total_seconds())
    finally:
        _end(process)
    return _Answer(**json.loads(answer_file.read_text())) if answer_file.exists() else None


def _end(process: subprocess.Popen[str]) -> None:
    """End the process if it still runs; it takes its descendants along."""
    process.terminate()
    try:
        process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _surroundings(folder: Path) -> Mapping[str, str]:
    """Return every variable that Ansible sees; nothing of ours is passed on."""
    programs = [str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        "PATH": os.pathsep.join(programs),
        "HOME": str(folder / "home"),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
    }


def _report(answer: _Answer | None, hosts: Sequence[str], output: str) -> ActionReport:
    """Judge host by host: a play goes on without those that it cannot reach."""
    if answer is None or answer.status not in ENDED:
        outcome, detail = Outcome.UNKNOWN, "the play was cut off"
    elif lost := answer.hosts("dark", among=hosts):
        outcome, detail = Outcome.UNKNOWN, f"unreachable: {', '.join(lost)}"
    elif failed := answer.hosts("failures", among=hosts):
        outcome, detail = Outcome.FAILED, f"failed on {', '.join(failed)}"
    elif answer.status != "successful" or set(hosts) - set(answer.hosts("ok", among=hosts)):
        outcome, detail = Outcome.FAILED, first_line(output) if output else answer.status
    else:
        changed = answer.hosts("changed", among=hosts)
        outcome = Outcome.DONE
        detail = f"changed {', '.join(changed)}" if changed else "nothing had to be changed"
    return ActionReport(outcome=outcome, detail=detail, output=output)


def _output(folder: Path) -> str:
    """Return what Ansible printed, or the process itself if it did not come that far."""
    printed = folder / "artifacts" / IDENT / "stdout"
    output = BoundedOutput(head_bytes=OUTPUT_HEAD_BYTES)
    with (printed if printed.exists() else folder / "process.log").open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            output.add(chunk)
    return output.text
