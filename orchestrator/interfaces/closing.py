"""The last lines of a run: what a tired person reads, and all that some of them read."""

from __future__ import annotations

from collections.abc import Iterator

import click

from orchestrator.adapters.reports.words import bounds, clock, count, duration, milliseconds
from orchestrator.domain.record import Progress
from orchestrator.domain.report import Report, Standing
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.reporting.redundancy import FENCE
from orchestrator.interfaces.columns import labelled, printable, wrapped
from orchestrator.interfaces.marks import mark

LABEL_WIDTH = 14
MOST_LINES = 4
"""Of one row; the report has the rest."""


def closing_words(report: Report, report_file: str) -> Iterator[str]:
    """Yield what was done, what it cost, whether it is verified, what to do, where to read on."""
    yield ""
    headline = mark(report.verdict, report.headline)
    yield click.style(headline, bold=True)
    yield from wrapped(printable(report.summary), "  ", "  ")
    for label, text in _rows(report):
        if text:
            yield from labelled(label, text, indent=2, width=LABEL_WIDTH, most=MOST_LINES)
    # In one piece, however long: it will be copied.
    yield f"  {'report':{LABEL_WIDTH}}{printable(report_file)}"


def _rows(report: Report) -> Iterator[tuple[str, str]]:
    yield "recovery", _recovery(report)
    yield "steps", _steps(report)
    if report.times.first_action:
        yield "outage", _outage(report)
        yield "downtime", _downtime(report)
        yield "back", _way_back(report)
        yield "lost writes", _lost_writes(report)
        yield "redundancy", _redundancy(report)
    yield "prior state", report.prior_state.summary if report.prior_state else ""
    if report.verification.checks:
        yield "verified", _verified(report)
    yield "not verified", "; ".join(report.not_verified)
    yield "if left so", _if_left_so(report)
    yield "next", _next(report)


def _recovery(report: Report) -> str:
    chosen = ", ".join(f"{name} {value}" for name, value in report.parameters.items())
    return f"{report.playbook} in {report.environment}: {chosen}"


def _steps(report: Report) -> str:
    done = sum(step.outcome is Progress.DONE and step.undone is None for step in report.steps)
    undone = sum(step.undone is not None for step in report.steps)
    back = f", {undone} taken back" if undone else ""
    return f"{done} of {len(report.steps)} done{back}{_took(report)}"


def _took(report: Report) -> str:
    times = report.times
    last = times.ended or times.as_of
    if times.first_action is None or last is None:
        return ""
    return f", {duration((last - times.first_action).total_seconds())} from the first action on"


def _downtime(report: Report) -> str:
    seen = report.downtime
    told = bounds(seen.at_least_s, seen.at_most_s) + _allowed(report.objectives.downtime_s)
    gap = f"; longest gap between writes {milliseconds(seen.longest_gap_ms)}"
    return told + gap * (seen.longest_gap_ms is not None)


def _outage(report: Report) -> str:
    """Return when it began, if that was before anybody asked for the run."""
    before_s = report.downtime.before_run_s
    if before_s is None:
        return ""
    began = clock(report.times.traffic_lost)
    return f"began {began} UTC, {duration(before_s)} before the run was started"


def _way_back(report: Report) -> str:
    allowed_s = report.objectives.back_within_s
    if allowed_s is None:
        return ""
    took = duration(report.downtime.back_after_s)
    return f"first write {took} after the gate opened{_allowed(allowed_s)}"


def _allowed(seconds: float | None) -> str:
    return "" if seconds is None else f" (allowed {duration(seconds)})"


def _redundancy(report: Report) -> str:
    """Return how long there was less of it, where a step gives it back."""
    without = report.unprotected
    if without is None or without.counted_from == FENCE:
        return ""
    length = "still less" if without.until is None else f"less for {duration(without.at_most_s)}"
    return f"{length}, counted from {without.counted_from} at {clock(without.since)} UTC"


def _lost_writes(report: Report) -> str:
    writes = report.writes
    told = f"{count(writes.lost)} (allowed {report.objectives.lost_writes})"
    if writes.acknowledged is None:
        return told
    return f"{told}; {count(writes.acknowledged)} acknowledged, {count(writes.unknown)} unknown"


def _verified(report: Report) -> str:
    checks = report.verification.checks
    passed = sum(check.verdict is Verdict.PASSED for check in checks)
    others = ", ".join(f"{c.group} {c.name}" for c in checks if c.verdict is not Verdict.PASSED)
    told = f"{passed} of {len(checks)} checks passed"
    return f"{told}; not: {others}" if others else told


def _if_left_so(report: Report) -> str:
    """Return what the newest step says of stopping behind it, while the run is held."""
    begun = [step for step in report.steps if step.outcome is not Progress.PENDING]
    return begun[-1].if_you_stop_here if report.standing is Standing.HELD and begun else ""


def _next(report: Report) -> str:
    is_held = report.standing is Standing.HELD and report.owner
    return f"{report.owner}: {report.next_action}" if is_held else report.next_action
