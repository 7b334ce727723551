"""The rows below a strip: phases of a run, or its steps with the gates between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from orchestrator.adapters.reports import words
from orchestrator.domain.record import GateProgress, GateRecord, StepRecord
from orchestrator.domain.report import Report
from orchestrator.domain.strip import Scope


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that took time."""

    start: datetime
    end: datetime
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of bars; *told* stands beside the last one."""

    name: str
    bars: tuple[Bar, ...]
    told: str
    tip: str
    is_gate: bool = False


def rows_of(report: Report, scope: Scope) -> tuple[Row, ...]:
    """Return the rows of a panel, oldest first."""
    if scope is Scope.RUN:
        return tuple(_phases(report))
    rows = [*_step_rows(report), *_gate_rows(report)]
    return tuple(sorted(rows, key=lambda row: row.bars[0].start))


def _phases(report: Report) -> Iterator[Row]:
    yield from _gate_rows(report)
    steps = [bar for row in _step_rows(report) for bar in row.bars]
    if steps:
        begun = sum(bool(step.attempts) for step in report.steps)
        told = f"{begun} of {len(report.steps)}"
        yield Row(name="Steps", bars=tuple(steps), told=told, tip=told)
    checks = report.verification.checks
    if checks:
        start = min(check.at for check in checks)
        end = max(check.at for check in checks)
        told = words.duration((end - start).total_seconds())
        bar = Bar(start, end, f"verdict-{report.verification.verdict}")
        yield Row(name="Verification", bars=(bar,), told=told, tip=f"Verification, {told}")


def _gate_rows(report: Report) -> Iterator[Row]:
    for gate in report.gates:
        end = gate.decided or report.times.as_of
        if gate.reached and end:
            told = f"{gate.progress}, {words.duration((end - gate.reached).total_seconds())}"
            yield Row(
                name=f"◇ {gate.gate}",
                bars=(Bar(gate.reached, end, _gate_style(gate)),),
                told=told,
                tip=f"Gate {gate.gate}: {told}",
                is_gate=True,
            )


def _gate_style(gate: GateRecord) -> str:
    is_decided = gate.progress in {GateProgress.OPENED, GateProgress.REFUSED}
    return f"gate-{gate.progress}" if is_decided else "gate-waiting"


def _step_rows(report: Report) -> Iterator[Row]:
    for step in report.steps:
        bars = tuple(_step_bars(step, report.times.as_of))
        if bars:
            yield Row(name=step.name, bars=bars, told=_told(step), tip=_tip(step))


def _step_bars(step: StepRecord, as_of: datetime | None) -> Iterator[Bar]:
    for attempt in step.attempts:
        style = f"step-{attempt.outcome or 'running'}"
        yield Bar(attempt.started, attempt.ended or as_of or attempt.started, style)
    if step.undone:
        yield Bar(step.undone.started, step.undone.ended or step.undone.started, "step-undone")


def _told(step: StepRecord) -> str:
    told = words.duration(step.duration_s) if step.ended else "at work"
    return f"{told}, taken back" if step.undone else told


def _tip(step: StepRecord) -> str:
    lines = [f"{step.name}: {step.outcome}, {_told(step)}", step.action]
    if step.evidence:
        lines.append(step.evidence.summary[:200])
    return "\n".join(lines)
