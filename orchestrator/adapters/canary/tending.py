"""Reads and stops a canary that is there. Imports little: it is called many times in a run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

from orchestrator.adapters.canary.clock import RunClock, pause
from orchestrator.adapters.canary.nest import CanaryFailed, Nest

LOOK_AGAIN_S = 0.02


def read_on(nest: Nest, *, offset: int, limit: int) -> bytes:
    """Return whole lines from byte *offset* on, at most *limit* bytes of them.

    Raises:
        CanaryFailed: If there is no such canary, or it never wrote so much.
    """
    try:
        with nest.samples.open("rb") as file:
            if offset > file.seek(0, os.SEEK_END):
                raise CanaryFailed(f"{nest.samples} is shorter than {offset} bytes")
            file.seek(offset)
            text = file.read(limit)
    except FileNotFoundError:
        raise CanaryFailed(f"no canary has run here as {nest.run}") from None
    return text[: text.rfind(b"\n") + 1]


def stop(nest: Nest, *, within_s: float) -> Mapping[str, object]:
    """End a canary gracefully and wait for its last line; one that has ended is no error.

    Raises:
        CanaryFailed: If there never was one, or it does not end in time.
    """
    if not nest.samples.exists():
        raise CanaryFailed(f"no canary has run here as {nest.run}")
    was_running = nest.is_alive()
    _tell_until_gone(nest, within_s)
    return {
        "stopped": was_running,
        "at": RunClock.read().now(),
        "bytes": nest.samples.stat().st_size,
    }


def _tell_until_gone(nest: Nest, within_s: float) -> None:
    until, told = time.monotonic() + within_s, None
    while nest.is_alive():
        if time.monotonic() > until:
            raise CanaryFailed(f"still running {within_s:g} s after it was told to stop")
        pid = nest.pid()
        if pid is not None and pid != told:
            os.kill(pid, signal.SIGTERM)
            told = pid
        pause(LOOK_AGAIN_S)
