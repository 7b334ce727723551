"""Killing processes for good, whatever they do meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable

from orchestrator.lab.errors import CommandFailed

_LIMIT_S = 10.0
_PAUSE_S = 0.01


def kill_all(find: Callable[[], Iterable[int]]) -> None:
    """Kill what *find* returns until it returns nothing, so that no child slips away.

    Raises:
        CommandFailed: If something outlives SIGKILL for ten seconds.
    """
    deadline = time.monotonic() + _LIMIT_S
    while pids := set(find()):
        for pid in pids:
            _kill(pid)
        if time.monotonic() > deadline:
            raise CommandFailed(f"processes of the lab survive SIGKILL: {sorted(pids)}")
        time.sleep(_PAUSE_S)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
