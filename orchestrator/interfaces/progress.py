"""The one line of a terminal that is written over while nothing new is to be told."""

from __future__ import annotations

import sys

from orchestrator.adapters.reports.words import duration
from orchestrator.interfaces.columns import printable, screen_width

PATIENCE_S = 1.0
"""Shorter work would only flicker."""
INDENT = " " * 11
_CLEAR = "\r\x1b[K"


class ProgressLine:
    """Shows that something is under way, and for how long."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._doing = ""
        self._since = 0.0
        self._told = ""

    def begin(self, doing: str, now: float) -> None:
        """Note what is under way since *now*, in seconds that never jump."""
        self._doing = doing
        self._since = now

    def show(self, now: float) -> None:
        """Write the line, if it is worth one and says something new."""
        took_s = now - self._since
        if not self._is_shown or not self._doing or took_s < PATIENCE_S:
            return
        told = f"{INDENT}… {printable(self._doing)}, {duration(int(took_s * 10) / 10)}"
        if told != self._told:
            sys.stdout.write(_CLEAR + told[: screen_width() - 1])
            sys.stdout.flush()
            self._told = told

    def clear(self) -> None:
        """Take the line away, so that others can be printed."""
        if self._told:
            sys.stdout.write(_CLEAR)
            sys.stdout.flush()
            self._told = ""
