"""A canary's lines, read back as samples."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator.domain.observation import (
    STANDING,
    Ended,
    Heartbeat,
    MarkerWrite,
    Sample,
    Unreadable,
    Walk,
    Watcher,
    WriteOutcome,
)

_LONGEST_SHOWN = 200


def standing_beside(samples_file: Path) -> Path:
    """Return where the samples of a standing watch are kept that a run has adopted."""
    return samples_file.with_name(f"{STANDING}-{samples_file.name}")


def read_samples(lines: Iterable[bytes], canary: str = "") -> Iterator[Sample]:
    """Read *lines*; one that makes no sense becomes `Unreadable`, never an exception.

    Args:
        lines: Of one file, or of a part of it.
        canary: The name of the one that wrote them.
    """
    return SampleReader(canary).read(lines)


class SampleReader:
    """Reads the lines of one canary as they come, piece by piece."""

    def __init__(self, canary: str = "") -> None:
        self._canary = canary
        self._slow = timedelta(0)

    def read(self, lines: Iterable[bytes]) -> Iterator[Sample]:
        """Read *lines*; times are by the clock of the host that was compared with it last."""
        for line in filter(bytes.strip, lines):
            try:
                sample = self._read(json.loads(line))
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                yield Unreadable(line=line[:_LONGEST_SHOWN].decode(errors="replace"))
            else:
                if sample is not None:
                    yield sample.shifted(self._slow) if self._slow else sample

    def _read(self, line: Mapping[str, Any]) -> Sample | None:
        if line["t"] == "from" and "slow_s" in line:
            self._slow = timedelta(seconds=line["slow_s"])
        return _read(line, self._canary)


def _read(line: Mapping[str, Any], canary: str) -> Sample | None:
    match line["t"]:
        case "marker":
            return _marker(line, canary)
        case "walk":
            return _walk(line, canary)
        case "alive":
            return Heartbeat(watcher=Watcher(line["who"]), at=_time(line["at"]))
        case "ended":
            return Ended(at=_time(line["at"]), why=str(line["why"]))
        case "started" | "from":
            return None
        case other:
            raise ValueError(f"no such line: {other}")


def _marker(line: Mapping[str, Any], canary: str) -> MarkerWrite:
    return MarkerWrite(
        seq=int(line["seq"]),
        sent=_time(line["sent"]),
        done=_time(line["done"]),
        outcome=WriteOutcome(line["outcome"]),
        error=str(line.get("error", "")),
        canary=canary,
    )


def _walk(line: Mapping[str, Any], canary: str) -> Walk:
    return Walk(
        number=int(line["n"]),
        sent=_time(line["sent"]),
        since=_time(line["since"]),
        done=_time(line["done"]),
        passed={"passed": True, "failed": False}[line["outcome"]],
        action=str(line.get("action", "")),
        error=str(line.get("error", "")),
        receipts=tuple(map(str, line["receipts"])),
        canary=canary,
    )


def _time(unix: object) -> datetime:
    if not isinstance(unix, int | float):
        raise TypeError("a time is a number of seconds")
    return datetime.fromtimestamp(unix, UTC)
