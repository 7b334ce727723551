"""The report as one HTML file that needs nothing else: no script, no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from orchestrator.adapters.reports import words
from orchestrator.adapters.reports.geometry import NARROW, WIDE
from orchestrator.adapters.reports.timeline import draw_timeline
from orchestrator.domain.record import Progress, StepRecord
from orchestrator.domain.report import Report, Standing
from orchestrator.domain.verdict import Verdict

_SIGNS = {
    "passed": "✓",
    "done": "✓",
    "opened": "✓",
    "degraded": "▲",
    "inconclusive": "?",
    "unknown": "?",
    "waiting": "◦",
    "checking": "◦",
    "running": "▸",
    "failed": "✗",
    "refused": "✗",
    "pending": "–",
}
_TONES = {
    "✓": Verdict.PASSED,
    "▲": Verdict.DEGRADED,
    "?": Verdict.INCONCLUSIVE,
    "◦": Verdict.INCONCLUSIVE,
    "▸": Verdict.INCONCLUSIVE,
    "✗": Verdict.FAILED,
}
_ON_OBJECTIVE = {
    Verdict.PASSED: "met",
    Verdict.DEGRADED: "met, with reservations",
    Verdict.INCONCLUSIVE: "not proven",
    Verdict.FAILED: "missed",
}


def render_html(report: Report) -> str:
    """Return *report* as a page for people.

    Everything that came from a target or a person is escaped twice over: signs that steer a
    display are made visible, then HTML is quoted. The page's policy allows its own style only.
    """
    style = (files(__package__) / "report.css").read_text(encoding="utf-8")
    template = _environment().get_template("report.html.j2")
    return template.render(
        report=report,
        style=Markup(style),  # noqa: S704 - our own file
        style_digest=_digest(style),
        papers=[draw_timeline(report, paper) for paper in (WIDE, NARROW)],
        done=sum(step.outcome is Progress.DONE and not step.undone for step in report.steps),
        stop_here=_stop_here(report),
        passed=sum(check.verdict is Verdict.PASSED for check in report.verification.checks),
    )


def _stop_here(report: Report) -> str:
    """Return the state of the world after the last step that stands, while somebody may ask."""
    standing = [s for s in report.steps if s.outcome is Progress.DONE and not s.undone]
    if report.standing is Standing.ENDED or not standing:
        return ""
    return standing[-1].if_you_stop_here


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "clock": words.clock,
        "count": words.count,
        "day": words.day,
        "duration": words.duration,
        "milliseconds": words.milliseconds,
        "objective": _ON_OBJECTIVE.__getitem__,
        "sign": _sign,
        "tone": _tone,
        "tried": _tried,
    }
    environment.globals["bounds"] = words.bounds
    return environment


def _finalize(value: object) -> object:
    """Make every text that leaves a template harmless, whatever it holds."""
    if isinstance(value, Markup):
        return value
    return "—" if value is None else words.visible(str(value))


def _sign(state: str) -> str:
    return _SIGNS[str(state)]


def _tone(state: str) -> str:
    return _TONES.get(_SIGNS[str(state)], "pending")


def _tried(step: StepRecord) -> Sequence[str]:
    """Return a line for each attempt, if there was more than one."""
    if len(step.attempts) < 2:
        return ()
    return tuple(
        f"attempt {attempt.number}: {attempt.outcome or 'at work'}" for attempt in step.attempts
    )
