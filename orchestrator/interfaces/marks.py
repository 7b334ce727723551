"""The signs and colours of verdicts and moments, the same in every command."""

from __future__ import annotations

from collections.abc import Mapping

import click

from orchestrator.domain.run import Outcome
from orchestrator.domain.verdict import Verdict

BEGUN = "begun"
WAITS = "waits"

_MARKS: Mapping[str, tuple[str, str]] = {
    Verdict.PASSED: ("✓", "green"),
    Verdict.DEGRADED: ("▲", "yellow"),
    Verdict.INCONCLUSIVE: ("?", "magenta"),
    Verdict.FAILED: ("✗", "red"),
    Outcome.DONE: ("✓", "green"),
    Outcome.UNKNOWN: ("?", "magenta"),
    BEGUN: ("▸", "cyan"),
    WAITS: ("◦", "yellow"),
}


def mark(kind: str, text: str = "") -> str:
    """Return the sign of *kind*, coloured; with *text* behind it in the same colour."""
    sign, colour = _MARKS[kind]
    return click.style(f"{sign} {text}" if text else sign, fg=colour)


def plain_mark(kind: str) -> str:
    """Return the sign of *kind* without a colour, where widths are counted."""
    return _MARKS[kind][0]
