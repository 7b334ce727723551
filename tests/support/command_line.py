"""The command line as a user meets it: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECOVER = (sys.executable, "-m", "orchestrator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command came to."""

    code: int
    out: str
    err: str


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a terminal of 80 columns, without anybody's settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RECOVER_")}
    return {**clean, "COLUMNS": "80", "PYTHONPATH": str(ROOT), **more}


def call(*args: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Answer:
    """Run ``recover`` with *args*, without a terminal, to its end."""
    done = subprocess.run(
        [*RECOVER, *args],
        cwd=cwd,
        env=env or surroundings(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Answer(code=done.returncode, out=done.stdout, err=done.stderr)
