"""Stage 4 of 6, watch: what became of each write, each walk, and with which errors. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestrator.domain.observation import (
    ErrorCount,
    Found,
    MarkerId,
    MarkerWrite,
    Walk,
    WalkCount,
    Watcher,
    WriteOutcome,
    Writes,
)


def count_writes(markers: Iterable[MarkerWrite], found: Found | None, *, run: str) -> Writes:
    """Compare what clients were told with what is there.

    Args:
        markers: By every canary.
        found: How often each is in the database; nothing if nobody looked.
        run: Name of the one that has ended. What another one has under way is in no account yet,
            so that finding it contradicts nothing.
    """
    by_outcome: dict[WriteOutcome, set[MarkerId]] = {outcome: set() for outcome in WriteOutcome}
    for marker in markers:
        by_outcome[marker.outcome].add(marker.name)
    acknowledged, unknown = by_outcome[WriteOutcome.ACKNOWLEDGED], by_outcome[WriteOutcome.UNKNOWN]
    failed, counts = by_outcome[WriteOutcome.FAILED], found or {}
    there = {name for name, count in counts.items() if count > 0}
    strangers = {name for name in there if name in failed or name.canary == run}
    return Writes(
        acknowledged=len(acknowledged),
        failed=len(failed),
        unknown=len(unknown),
        counted=found is not None,
        lost=tuple(sorted(acknowledged - there)) if found is not None else (),
        duplicate=tuple(sorted(name for name in there if counts[name] > 1)),
        unknown_found=tuple(sorted(unknown & there)),
        contradicted=tuple(sorted(strangers - acknowledged - unknown)),
    )


def count_walks(walks: Sequence[Walk]) -> WalkCount:
    """Count walks by how they ended."""
    passed = sum(walk.passed for walk in walks)
    return WalkCount(passed=passed, failed=len(walks) - passed)


def count_errors(markers: Iterable[MarkerWrite], walks: Iterable[Walk]) -> tuple[ErrorCount, ...]:
    """Group errors by their text, each kind in order of time."""
    seen: dict[tuple[Watcher, str], list[datetime]] = {}
    for marker in markers:
        if not marker.is_acknowledged:
            seen.setdefault((Watcher.MARKERS, marker.error), []).append(marker.done)
    for walk in walks:
        if not walk.passed:
            text = f"{walk.action}: {walk.error}"
            seen.setdefault((Watcher.WALKS, text), []).append(walk.done)
    return tuple(
        ErrorCount(watcher=watcher, error=error, count=len(times), first=times[0])
        for (watcher, error), times in seen.items()
    )
