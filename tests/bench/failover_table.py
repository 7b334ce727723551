"""What failovers come to: how long users waited and for what, and which writes are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from statistics import median

from tests.bench.failover_trials import Fault, SideName, Trial
from tests.bench.recover_command import Decision
from tests.bench.table import Row, compare, in_columns

WAITS = ("fault", "side", "n", "→ trigger", "→ gates", "→ write", "fault → write", "ratio")
WRITES = ("fault", "side", "acknowledged", "failed", "unknown", "lost", "duplicate")
BASELINE = "Patroni, tuned"


def of(trials: Sequence[Trial], fault: Fault, side: SideName) -> list[Trial]:
    """Return the trials of one side with one fault."""
    return [trial for trial in trials if trial.fault is fault and trial.side is side]


def rows(trials: Sequence[Trial]) -> Iterator[Row]:
    """Compare the sides fault by fault; the part that people decide on is shown apart.

    There is nothing to compare unless both were tried.
    """
    for fault in Fault:
        if whole := _whole_row(trials, fault):
            yield whole
            ours = of(trials, fault, SideName.OURS)
            for name, part in _PARTS.items():
                yield compare(f"{fault}: {name}", _parts_ms(ours, part))


def waits_table(trials: Sequence[Trial]) -> str:
    """Return the waits in seconds: medians, and of the whole also the maximum."""
    lines = [
        _waits(trials, fault, side)
        for fault in Fault
        for side in SideName
        if of(trials, fault, side)
    ]
    return in_columns([WAITS, *lines])


def writes_table(trials: Sequence[Trial]) -> str:
    """Return what became of the marker writes, and the doubts below."""
    lines = [
        _writes(tried, fault, side)
        for fault in Fault
        for side in SideName
        if (tried := of(trials, fault, side))
    ]
    doubts = [f"! {trial.name}: {doubt}" for trial in trials for doubt in trial.doubts]
    return "\n".join([in_columns([WRITES, *lines]), *doubts])


def _waits(trials: Sequence[Trial], fault: Fault, side: SideName) -> tuple[str, ...]:
    tried = of(trials, fault, side)
    whole_s = [_whole_ms(trial) / 1000 for trial in tried]
    parts = (_parts_ms(tried, part_ms) for part_ms in _PARTS.values())
    return (
        fault,
        side,
        str(len(tried)),
        *(f"{median(part) / 1000:.2f} s" if part else "–" for part in parts),
        f"{median(whole_s):.2f} / {max(whole_s):.2f} s",
        _ratio(trials, fault) if side is SideName.OURS else "–",
    )


def _whole_row(trials: Sequence[Trial], fault: Fault) -> Row | None:
    ours, patroni = (list(map(_whole_ms, of(trials, fault, side))) for side in SideName)
    if not (ours and patroni):
        return None
    return compare(f"{fault}: fault to first write", ours, BASELINE, patroni)


def _ratio(trials: Sequence[Trial], fault: Fault) -> str:
    whole = _whole_row(trials, fault)
    return f"{whole.ratio:.2f} ×" if whole else "–"


def _writes(tried: Sequence[Trial], fault: Fault, side: SideName) -> tuple[str, ...]:
    counts = (
        (
            trial.writes.acknowledged,
            trial.writes.failed,
            trial.writes.unknown,
            len(trial.writes.lost),
            len(trial.writes.duplicate),
        )
        for trial in tried
    )
    return (fault, side, *(f"{sum(column):,}" for column in zip(*counts, strict=True)))


def _whole_ms(trial: Trial) -> float:
    return _ms(trial.outage.length)


def _parts_ms(tried: Sequence[Trial], part: Callable[[Trial, Decision], timedelta]) -> list[float]:
    return [_ms(part(trial, trial.decision)) for trial in tried if trial.decision]


def _until_trigger(trial: Trial, decision: Decision) -> timedelta:
    return decision.triggered - trial.outage.start


def _until_gates(trial: Trial, decision: Decision) -> timedelta:
    return decision.satisfied - decision.triggered


def _until_write(trial: Trial, decision: Decision) -> timedelta:
    return trial.outage.end - decision.satisfied


def _ms(length: timedelta) -> float:
    return length / timedelta(milliseconds=1)


_PARTS = {
    "fault to trigger": _until_trigger,
    "trigger to satisfied gates": _until_gates,
    "satisfied gates to first write": _until_write,
}
