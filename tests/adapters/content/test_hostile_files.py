from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.adapters.content.hostile_files import HOSTILE

ROOT = Path(__file__).parents[3]


def test_hostile_files_are_refused_in_little_time_and_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.adapters.content.hostile_files"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )

    *rows, (_, peak_bytes, _) = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, _, _ in rows] == list(HOSTILE)
    assert {name: took_s for name, took_s, _ in rows if took_s >= 1} == {}
    assert [name for name, _, problems in rows if not problems] == []
    assert peak_bytes < 256 * 2**20
    assert done.stderr == ""
