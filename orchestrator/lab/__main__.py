"""A small driver of the lab: `python -m orchestrator.lab up|status|down [--home DIR]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orchestrator.lab import lifecycle
from orchestrator.lab.errors import LabError
from orchestrator.lab.status import LabStatus


def main() -> int:
    """Run one verb and say what it came to."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.lab")
    parser.add_argument("verb", choices=["up", "status", "down", "shell"])
    parser.add_argument("host", nargs="?", default="")
    parser.add_argument("--home", type=Path, default=Path("~/.local/state/recover/lab"))
    arguments = parser.parse_args()
    try:
        return _obey(arguments.verb, arguments.host, arguments.home.expanduser().resolve())
    except LabError as error:
        _say(f"{type(error).__name__}: {error}")
        return 1


def _obey(verb: str, host: str, home: Path) -> int:
    if verb == "up":
        return _show(lifecycle.up(home, _say))
    if verb == "status":
        return _show(lifecycle.status(home))
    if verb == "shell":
        lifecycle.shell(home, host)
    lifecycle.down(home, _say)
    return 0


def _show(status: LabStatus) -> int:
    _say(f"{status.kind} {status.environment}")
    for host in status.hosts:
        _say(
            f"  {host.name:9} {host.state:5} {' '.join(host.addresses):24} {', '.join(host.runs)}"
        )
    for problem in status.problems:
        _say(f"  ! {problem}")
    return 1 if status.problems else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
