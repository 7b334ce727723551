"""The process in which Ansible runs: clean surroundings, and nobody left behind.

Started as a script, by its path. It reads the arguments of `ansible_runner.run` as JSON from its
standard input and writes what came of it, as JSON, to the file named first. It ends with the
controller, and takes with it whatever Ansible has started.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

POLITE = 10


def main() -> None:
    """Run Ansible once."""
    answer_file = Path(sys.argv[1])
    arguments = json.load(sys.stdin)
    _tie_to_parent(arguments.pop("parent"))
    # What watches the users, and the driver itself, go before on a machine with few cores.
    os.nice(POLITE)
    signal.signal(signal.SIGTERM, _leave)
    # The sockets of shared connections need a short path, which the run's folder may not have.
    with tempfile.TemporaryDirectory(prefix="recover-ssh-") as sockets:
        os.environ["ANSIBLE_SSH_CONTROL_PATH_DIR"] = sockets
        try:
            answer_file.write_text(json.dumps(_play(arguments)))
        finally:
            _end_descendants()


def _play(arguments: dict[str, object]) -> dict[str, object]:
    # Here, for a terminated process must be able to leave while this is being loaded.
    import ansible_runner

    runner = ansible_runner.run(**arguments)
    return {"status": runner.status, "stats": runner.stats}


def _tie_to_parent(parent: int) -> None:
    """Be told when the controller ends, and adopt whoever Ansible lets loose."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        _leave()


def _leave(*_: object) -> NoReturn:
    raise SystemExit(1)


def _end_descendants() -> None:
    """Kill children until none is left; their own children become ours in between."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    children = Path("/proc/self/task") / str(os.getpid()) / "children"
    while pids := [int(pid) for pid in children.read_text().split()]:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
