"""What PID 1 is to a machine, for one host of the loopback lab.

Started with a JSON list of services on stdin. Whatever they start and abandon becomes its child
and is reaped at once: the PID 1 of a container may take seconds or never do it, and a server
that is dead but not reaped looks alive to `kill -0`.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A program to start; what it says goes to the file *console*."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    console: str


def order_of(services: Sequence[Service]) -> str:
    """Return what this has to read to start *services*."""
    return json.dumps([asdict(service) for service in services])


def main() -> int:
    """Start the services and reap until nothing is left to reap."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = [_start(Service(**service)) for service in json.load(sys.stdin)]
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return 0 if started else 1


def _start(service: Service) -> subprocess.Popen[bytes]:
    with Path(service.console).open("ab") as console:
        return subprocess.Popen(
            service.argv,
            env=service.environment,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


if __name__ == "__main__":
    sys.exit(main())
