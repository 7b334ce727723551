"""Starts, reads and stops a canary, from the far end of an SSH connection."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.canary.clock import RunClock, pause
from orchestrator.adapters.canary.nest import Nest
from orchestrator.adapters.canary.process import detach, missing_looks
from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary.spec import CanarySpec, check_run
from orchestrator.domain.observation import Ended

Answer = Mapping[str, object]

_FIRST_LOOKS_WITHIN_S = 3.0
_LOOK_AGAIN_S = 0.02


class CanaryFailed(Exception):
    """What was asked of the canary could not be done; the message says why."""


@dataclass(frozen=True, slots=True)
class CanaryControl:
    """The canaries whose files are in one directory of this host."""

    directory: Path

    def start(self, spec: CanarySpec) -> Answer:
        """Start one, or find it running, and answer once it has looked for the first time.

        Raises:
            CanaryFailed: If it ended at once.
            NestUnsafe: If its directory is not ours alone.
        """
        nest = Nest(self.directory, spec.run)
        nest.prepare()
        lock = _take_or_find(nest)
        if lock is None:
            return self._answer(nest, already_running=True)
        begins_at = nest.samples.stat().st_size if nest.samples.exists() else 0
        detach(nest, spec, lock)
        os.close(lock)
        _wait_for_first_looks(nest, spec, begins_at)
        return self._answer(nest, already_running=False)

    def read(self, run: str, *, offset: int, limit: int) -> bytes:
        """Return whole lines from byte *offset* on, at most *limit* bytes of them.

        Raises:
            CanaryFailed: If there is no such canary, or it never wrote so much.
        """
        path = Nest(self.directory, check_run(run)).samples
        try:
            with path.open("rb") as file:
                if offset > file.seek(0, os.SEEK_END):
                    raise CanaryFailed(f"{path} is shorter than {offset} bytes")
                file.seek(offset)
                text = file.read(limit)
        except FileNotFoundError:
            raise CanaryFailed(f"no canary has run here as {run}") from None
        return text[: text.rfind(b"\n") + 1]

    def stop(self, run: str, *, within_s: float) -> Answer:
        """End one gracefully and wait for its last line; one that has ended is no error.

        Raises:
            CanaryFailed: If there never was one, or it does not end in time.
        """
        nest = Nest(self.directory, check_run(run))
        if not nest.samples.exists():
            raise CanaryFailed(f"no canary has run here as {run}")
        was_running = nest.is_alive()
        until = time.monotonic() + within_s
        told = None
        while nest.is_alive():
            if time.monotonic() > until:
                raise CanaryFailed(f"still running {within_s:g} s after it was told to stop")
            if (pid := nest.pid()) != told and pid is not None:
                os.kill(pid, signal.SIGTERM)
                told = pid
            pause(_LOOK_AGAIN_S)
        return {
            "stopped": was_running,
            "at": RunClock.read().now(),
            "bytes": nest.samples.stat().st_size,
        }

    def _answer(self, nest: Nest, *, already_running: bool) -> Answer:
        return {
            "pid": nest.pid(),
            "already_running": already_running,
            "at": RunClock.read().now(),
        }


def _take_or_find(nest: Nest) -> int | None:
    """Take the lock, or make sure that a canary which is up holds it.

    Whoever looks whether it is free holds it for a moment, which is no canary.
    """
    until = time.monotonic() + _FIRST_LOOKS_WITHIN_S
    while time.monotonic() < until:
        if (lock := nest.take()) is not None:
            return lock
        if nest.pid() is not None:
            return None
        pause(_LOOK_AGAIN_S)
    raise CanaryFailed(f"somebody holds {nest.lock}, and it is no canary")


def _wait_for_first_looks(nest: Nest, spec: CanarySpec, begins_at: int) -> None:
    until = time.monotonic() + _FIRST_LOOKS_WITHIN_S
    while time.monotonic() < until:
        seen = _samples_from(nest, begins_at)
        for sample in seen:
            if isinstance(sample, Ended):
                raise CanaryFailed(f"it ended at once: {sample.why}")
        if not missing_looks(spec, seen):
            return
        if not nest.is_alive():
            raise CanaryFailed(f"it ended without a word; see {nest.log}")
        pause(_LOOK_AGAIN_S)


def _samples_from(nest: Nest, offset: int) -> list[object]:
    if not nest.samples.exists():
        return []
    with nest.samples.open("rb") as file:
        file.seek(offset)
        return list(read_samples(file))
