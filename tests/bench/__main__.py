"""`make bench`: what `recover` does and what others do, side by side in one run.

It measures and asserts nothing. The lab is left as it was found: up, or down.
"""

from __future__ import annotations

import argparse
import signal
import sys

from tests.bench import failover, switchover
from tests.bench.bench_lab import say


def main() -> int:
    """Measure what the words of the command line ask for."""
    # Whoever ends us finds the lab as it was, and what was measured so far.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = _arguments()
    if failure := arguments.measure(arguments):
        say(failure)
    return 1 if failure else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    what = parser.add_subparsers(required=True)
    planned = what.add_parser("switchover", help="planned, beside bare hands")
    switchover.add_options(planned)
    planned.set_defaults(measure=switchover.measure_switchovers)
    unplanned = what.add_parser("failover", help="unplanned, beside tuned Patroni")
    failover.add_options(unplanned)
    unplanned.set_defaults(measure=failover.measure_failovers)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
