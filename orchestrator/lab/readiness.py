"""Waiting for a lab to answer, and saying what the hosts said if it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.lab.errors import HostNotReady

_LIMIT_S = 60.0
_PAUSE_S = 0.1
_SHOWN = 400


def wait_for(problems: Callable[[], Sequence[str]], *, consoles: Path) -> None:
    """Wait until *problems* returns none.

    Raises:
        HostNotReady: After a minute, with the problems and what the hosts below *consoles* said.
    """
    deadline = time.monotonic() + _LIMIT_S
    while left := problems():
        if time.monotonic() > deadline:
            said = [f"{name} said: {text}" for name, text in last_words(consoles).items()]
            raise HostNotReady("; ".join([*left, *said]))
        time.sleep(_PAUSE_S)


def last_words(consoles: Path) -> dict[str, str]:
    """Return the end of what each host below *consoles* said, of those that said anything."""
    said = {path.parent.name: _tail(path) for path in sorted(consoles.glob("*/console.log"))}
    return {name: text for name, text in said.items() if text}


def _tail(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()[-_SHOWN:]
