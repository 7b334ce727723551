"""A canary's lines, read back as samples."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from orchestrator.domain.observation import (
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


def read_samples(lines: Iterable[bytes]) -> Iterator[Sample]:
    """Read *lines*; one that makes no sense becomes `Unreadable`, never an exception."""
    for line in filter(bytes.strip, lines):
        try:
            sample = _read(json.loads(line))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            yield Unreadable(line=line[:_LONGEST_SHOWN].decode(errors="replace"))
        else:
            if sample is not None:
                yield sample


def _read(line: Mapping[str, Any]) -> Sample | None:
    match line["t"]:
        case "marker":
            return _marker(line)
        case "walk":
            return _walk(line)
        case "alive":
            return Heartbeat(watcher=Watcher(line["who"]), at=_time(line["at"]))
        case "ended":
            return Ended(at=_time(line["at"]), why=str(line["why"]))
        case "started":
            return None
        case other:
            raise ValueError(f"no such line: {other}")


def _marker(line: Mapping[str, Any]) -> MarkerWrite:
    return MarkerWrite(
        seq=int(line["seq"]),
        sent=_time(line["sent"]),
        done=_time(line["done"]),
        outcome=WriteOutcome(line["outcome"]),
        error=str(line.get("error", "")),
    )


def _walk(line: Mapping[str, Any]) -> Walk:
    return Walk(
        number=int(line["n"]),
        sent=_time(line["sent"]),
        since=_time(line["since"]),
        done=_time(line["done"]),
        passed={"passed": True, "failed": False}[line["outcome"]],
        action=str(line.get("action", "")),
        error=str(line.get("error", "")),
        receipts=tuple(map(str, line["receipts"])),
    )


def _time(unix: object) -> datetime:
    if not isinstance(unix, int | float):
        raise TypeError("a time is a number of seconds")
    return datetime.fromtimestamp(unix, UTC)
