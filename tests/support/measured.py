"""``python -m tests.support.measured ARGS``: the command line, and what it took."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from orchestrator.interfaces.cli import main


def _peak_bytes() -> int:
    # ru_maxrss would count what the process that started us had in memory.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    finally:
        took = {"cpu_s": time.process_time(), "peak_bytes": _peak_bytes()}
        sys.stderr.write(json.dumps(took) + "\n")
