"""Short ways to say what a canary saw; every default is the boring case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from orchestrator.domain.observation import (
    Ended,
    Found,
    Heartbeat,
    MarkerId,
    MarkerWrite,
    Sample,
    StepInterval,
    Walk,
    Watcher,
    WriteOutcome,
)

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)

_OUTCOMES = {
    "+": WriteOutcome.ACKNOWLEDGED,
    "-": WriteOutcome.FAILED,
    "?": WriteOutcome.UNKNOWN,
}


def after(ms: float) -> datetime:
    """So many milliseconds past noon."""
    return NOON + timedelta(milliseconds=ms)


def ms(length: float) -> timedelta:
    return timedelta(milliseconds=length)


def a_marker(
    seq: int,
    at_ms: float,
    outcome: WriteOutcome = WriteOutcome.ACKNOWLEDGED,
    *,
    took_ms: float = 1,
) -> MarkerWrite:
    """A marker sent *at_ms* past noon."""
    error = "" if outcome is WriteOutcome.ACKNOWLEDGED else "connection refused"
    return MarkerWrite(
        seq=seq, sent=after(at_ms), done=after(at_ms + took_ms), outcome=outcome, error=error
    )


def markers(pattern: str, *, every_ms: float = 10) -> list[Sample]:
    """Markers from noon: ``+`` acknowledged, ``-`` failed, ``?`` unknown, blank not sent."""
    return [
        a_marker(number, number * every_ms, _OUTCOMES[mark])
        for number, mark in enumerate(pattern)
        if mark != " "
    ]


def walks(pattern: str, *, every_ms: float = 200, took_ms: float = 40) -> list[Sample]:
    """Walks from noon: ``+`` passed, ``-`` failed at its last action."""
    return [
        Walk(
            number=number,
            sent=after(number * every_ms),
            since=after(number * every_ms + (0 if mark == "+" else took_ms / 2)),
            done=after(number * every_ms + took_ms),
            passed=mark == "+",
            action="" if mark == "+" else "log-in",
            error="" if mark == "+" else "status is 503, not 200",
        )
        for number, mark in enumerate(pattern)
        if mark != " "
    ]


def heartbeats(
    until_ms: float, *, from_ms: float = 0, watchers: Iterable[Watcher] = tuple(Watcher)
) -> list[Sample]:
    """Signs of life every half second, from both watchers."""
    beats = range(int(from_ms), int(until_ms) + 1, 500)
    return [Heartbeat(watcher=w, at=after(beat)) for beat in beats for w in watchers]


def a_quiet_second() -> list[Sample]:
    """Everything is fine for a second and a bit."""
    return [*markers("+" * 120), *walks("+" * 6), *heartbeats(1000), ended()]


def ended(why: str = "stopped") -> Ended:
    return Ended(at=after(60_000), why=why)


def a_step(step: str, start_ms: float, end_ms: float) -> StepInterval:
    return StepInterval(step=step, start=after(start_ms), end=after(end_ms))


def found_times(times: Mapping[int, int]) -> Found:
    """The database holds each number so often."""
    return {MarkerId("", seq): count for seq, count in times.items()}


def numbers(names: Iterable[MarkerId]) -> list[int]:
    return [name.seq for name in names]


def found_all(samples: Iterable[Sample]) -> Found:
    """Every acknowledged marker is in the database, once."""
    return {
        sample.name: 1
        for sample in samples
        if isinstance(sample, MarkerWrite) and sample.outcome is WriteOutcome.ACKNOWLEDGED
    }
