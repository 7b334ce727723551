"""Starts a canary that outlives whoever started it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from orchestrator.adapters.canary.clock import RunClock, pause
from orchestrator.adapters.canary.nest import CanaryFailed, Nest
from orchestrator.adapters.canary.process import detach
from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary.spec import CanarySpec
from orchestrator.adapters.canary.tending import LOOK_AGAIN_S, end_of, read_on
from orchestrator.domain.observation import Ended, MarkerWrite, Sample, Walk

FIRST_LOOKS_WITHIN_S = 3.0
MOST_BYTES = 1 << 20


def start(nest: Nest, spec: CanarySpec) -> Mapping[str, object]:
    """Start a canary, or find it running, and answer once it has looked for the first time.

    Raises:
        CanaryFailed: If it ended at once, or its directory is not ours alone.
    """
    nest.prepare()
    lock = _take_or_find(nest)
    if lock is not None:
        begins_at = end_of(nest)
        detach(nest, spec, lock)
        os.close(lock)
        _wait_for_first_looks(nest, spec, begins_at)
    return {
        "pid": nest.pid(),
        "already_running": lock is None,
        "at": RunClock.read().now(),
    }


def _take_or_find(nest: Nest) -> int | None:
    """Take the lock, or make sure that a canary which is up holds it.

    Whoever looks whether it is free holds it for a moment, which is no canary.
    """
    until = time.monotonic() + FIRST_LOOKS_WITHIN_S
    while time.monotonic() < until:
        if (lock := nest.take()) is not None:
            return lock
        if nest.pid() is not None:
            return None
        pause(LOOK_AGAIN_S)
    raise CanaryFailed(f"somebody holds {nest.lock}, and it is no canary")


def _wait_for_first_looks(nest: Nest, spec: CanarySpec, begins_at: int) -> None:
    until = time.monotonic() + FIRST_LOOKS_WITHIN_S
    while time.monotonic() < until:
        is_alive = nest.is_alive()
        seen = _samples_from(nest, begins_at)
        for sample in seen:
            if isinstance(sample, Ended):
                raise CanaryFailed(f"it ended at once: {sample.why}")
        if _have_all_looked(spec, seen):
            return
        if not is_alive:
            raise CanaryFailed(f"it ended without a word; see {nest.log}")
        pause(LOOK_AGAIN_S)


def _samples_from(nest: Nest, position: int) -> Sequence[Sample]:
    if not nest.samples.exists():
        return ()
    return tuple(read_samples(read_on(nest, position=position, limit=MOST_BYTES).splitlines()))


def _have_all_looked(spec: CanarySpec, seen: Sequence[Sample]) -> bool:
    kinds = {type(sample) for sample in seen}
    wanted = {MarkerWrite} if spec.markers else set()
    return kinds >= wanted | ({Walk} if spec.walks else set())
