"""How long a command takes that only says what there is."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

from tests.bench.recover_command import INTERPRETER
from tests.bench.table import Row, compare

ROUNDS = 7


def measure_start_up() -> Row:
    """Compare `recover --help` with an interpreter that does nothing, in turns."""
    help_ms, nothing_ms = [], []
    for _ in range(ROUNDS):
        help_ms.append(_time_ms([*INTERPRETER, "-m", "orchestrator", "--help"]))
        nothing_ms.append(_time_ms([*INTERPRETER, "-c", "pass"]))
    return compare("recover --help", help_ms, "python -c pass", nothing_ms)


def _time_ms(argv: Sequence[str]) -> float:
    began = time.monotonic()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return (time.monotonic() - began) * 1000
