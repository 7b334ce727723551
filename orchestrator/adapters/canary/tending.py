"""Reads and stops a canary that is there. Imports little: it is called many times in a run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from orchestrator.adapters.canary.clock import RunClock, pause
from orchestrator.adapters.canary.nest import CanaryFailed, Nest
from orchestrator.adapters.canary.stretches import (
    LONGEST_LINE,
    Stretch,
    head_line,
    open_stretches,
    position_at,
    time_of,
    whole_lines,
)

LOOK_AGAIN_S = 0.02


def end_of(nest: Nest) -> int:
    """Return the position behind whatever was written so far."""
    if not nest.samples.exists():
        return 0
    with open_stretches(nest.samples) as stretches:
        return stretches[-1].ends


def read_on(nest: Nest, *, position: int, limit: int) -> bytes:
    """Return whole lines from *position* on, at most some *limit* bytes of them.

    If what lies there is kept no more, a line says where that begins which is.

    Raises:
        CanaryFailed: If there is no such canary, or it never wrote so much.
    """
    with _stretches(nest) as stretches:
        if position > stretches[-1].ends:
            raise CanaryFailed(f"{nest.samples} is shorter than {position} bytes")
        oldest = stretches[0].begins
        head = head_line(oldest) if position < oldest else b""
        return head + whole_lines(stretches, max(position, oldest), limit)


def recall(nest: Nest, *, seconds: float, limit: int) -> bytes:
    """Return what a canary that is at work has seen lately, as `read_on` does.

    The first line says at which position it begins, and how far its clock is behind the host's:
    it was read once, maybe weeks ago, and the host's may have been set since.

    Raises:
        CanaryFailed: If none is at work.
    """
    signed = nest.signature()
    if signed is None or not nest.is_alive():
        raise CanaryFailed(f"no canary is at work here as {nest.run}")
    since = signed.clock_offset + time.monotonic() - seconds
    slow_s = round(RunClock.read().offset - signed.clock_offset, 6)
    with _stretches(nest) as stretches:
        found = max(position_at(stretches, since), signed.begins, stretches[0].begins)
        return head_line(found, slow_s=slow_s) + whole_lines(stretches, found, limit)


def watch_over(nest: Nest) -> Mapping[str, object]:
    """Say whether a canary is at work, and when it last gave a sign.

    Raises:
        CanaryFailed: If there never was one.
    """
    with _stretches(nest) as stretches:
        ends = stretches[-1].ends
        last = whole_lines(stretches, max(ends - LONGEST_LINE, stretches[0].begins), LONGEST_LINE)
    times = [at for at in map(time_of, last.splitlines()) if at is not None]
    return {
        "running": nest.is_alive(),
        "pid": nest.pid(),
        "at": RunClock.read().now(),
        "last_sign": max(times, default=None),
    }


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
        "bytes": end_of(nest),
    }


@contextmanager
def _stretches(nest: Nest) -> Iterator[tuple[Stretch, ...]]:
    try:
        with open_stretches(nest.samples) as stretches:
            yield stretches
    except FileNotFoundError:
        raise CanaryFailed(f"no canary has run here as {nest.run}") from None


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
