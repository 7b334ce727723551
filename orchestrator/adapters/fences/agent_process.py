"""One call of a fence agent: clean surroundings, no secret in sight, and an end in time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.trouble import first_line
from orchestrator.domain.errors import TargetUnavailable

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are found, by us and by them; agents live in ``sbin``, which users lack."""
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
"""From util-linux: a controller that is killed leaves no agent behind."""
LATE = -1
HIDDEN = "***"
MOST_SAID_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEnd:
    """How a call ended.

    Attributes:
        exit_code: `LATE` if it did not end in time and was killed.
        said: The last line that it wrote to standard error.
    """

    exit_code: int
    said: str

    @property
    def was_late(self) -> bool:
        """True if nobody knows what came of it."""
        return self.exit_code == LATE

    def __str__(self) -> str:
        told = "no end in time" if self.was_late else f"exit {self.exit_code}"
        return f"{told}: {self.said}" if self.said else told


def find_program(name: str, *, below: Path) -> Path:
    """Return the file of *name*: on the system's path if it is a bare name.

    Raises:
        TargetUnavailable: If there is no such program.
    """
    found = below / name if os.sep in name else shutil.which(name, path=SYSTEM_PATH)
    if found is None or not os.access(found, os.X_OK):
        where = f"at {found}" if found else f"on {SYSTEM_PATH}"
        raise TargetUnavailable(f"there is no program {name} {where}: install the fence agent")
    return Path(found)


def run_agent(
    program: Path, options: Mapping[str, str], password: str, *, deadline: Deadline
) -> AgentEnd:
    """Run *program* with *options* to its end, or kill it and its children at *deadline*.

    Raises:
        TargetUnavailable: If an option cannot be told by a line.
    """
    given = _lines({**options, "password": password} if password else options)
    with tempfile.TemporaryFile() as said, _start(program, said) as process:
        try:
            process.communicate(given, timeout=deadline.left_s)
            exit_code = process.returncode
        except subprocess.TimeoutExpired:
            exit_code = LATE
        finally:
            _end(process)
        return AgentEnd(exit_code=exit_code, said=_last_line(said, password))


def _start(program: Path, said: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*DIES_WITH_US, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=said,
        env={"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the call, children that outlived it included."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _lines(options: Mapping[str, str]) -> bytes:
    for name, value in options.items():
        if {"\n", "\r", "\0"} & {*name, *value}:
            raise TargetUnavailable(f"the agent's option {name!r} holds a line break")
    return "".join(f"{name}={value}\n" for name, value in options.items()).encode()


def _last_line(said: IO[bytes], password: str) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - MOST_SAID_BYTES))
    lines = said.read().decode(errors="replace").strip().splitlines()
    line = first_line(lines[-1]) if lines else ""
    return line.replace(password, HIDDEN) if password else line
