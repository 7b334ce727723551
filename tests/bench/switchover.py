"""A planned switchover by `recover` and by bare hands, side by side in one run."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench.bench_lab import FAILURES, bench_lab, say, users_of_pooler
from tests.bench.recover_command import RecoverCommand, chosen_settings
from tests.bench.start_up import measure_start_up
from tests.bench.summary import gap_rows, harm, harm_table, moves_table, of_side
from tests.bench.table import Row, as_table, compare
from tests.bench.trials import Course, Side, Trial
from tests.bench.warm_ssh import warm_ssh

RUNS = 7
IDLE_ROUNDS = 5
OUTPUT = Path("build/bench.json")


def measure_switchovers(arguments: argparse.Namespace) -> str:
    """Measure, print tables, write the JSON; what was measured before a failure is kept.

    Returns:
        What failed; empty if nothing did.
    """
    rows: list[Row] = []
    trials: list[Trial] = []
    failure = ""
    loaded_runs = arguments.runs if arguments.loaded_runs is None else arguments.loaded_runs
    try:
        _measure(rows, trials, arguments.runs, loaded_runs)
    except FAILURES as error:
        failure = f"{type(error).__name__}: {error}"
    _show(rows, trials)
    _write(arguments.output, rows, trials)
    return failure


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let *parser* take what :func:`measure_switchovers` needs to know."""
    parser.add_argument("--runs", type=int, default=RUNS, help="of each side, in peace")
    parser.add_argument("--loaded-runs", type=int, help="of each side, under pgbench")
    parser.add_argument("--output", type=Path, default=OUTPUT)


def _measure(rows: list[Row], trials: list[Trial], runs: int, loaded_runs: int) -> None:
    """Add to *rows* and *trials* as they come."""
    recover = RecoverCommand(settings=chosen_settings())
    rows.append(measure_start_up())
    with (
        bench_lab(recover) as (lab, up_ms),
        warm_ssh(lab) as ssh,
        users_of_pooler(recover.settings, lab) as eye,
    ):
        if up_ms:
            rows.append(compare("lab up", [up_ms]))
        name = f"bench-{time.monotonic_ns() // 1_000_000}"
        course = Course(name=name, lab=lab, ssh=ssh, recover=recover, instrument=eye)
        rows.append(compare("longest gap, nobody touches anything", course.idle(IDLE_ROUNDS)))
        for rounds, is_loaded in ((runs, False), (loaded_runs, True)):
            tried = []
            for trial in course.run(rounds, is_loaded=is_loaded):
                _tell(trial)
                tried.append(trial)
                trials.append(trial)
            rows += gap_rows("under pgbench" if is_loaded else "in peace", tried)


def _tell(trial: Trial) -> None:
    """Say how one trial went, to whoever waits."""
    seen = trial.seen
    counts = f"failed {seen.failed}  lost {seen.lost}"
    load = f"  pgbench failed {trial.load.failed}" if trial.load else ""
    say(
        f"{trial.side:10}  {trial.direction}  gap {seen.held_gap_ms:7.1f} ms"
        f"  (whole run {seen.longest_gap_ms:7.1f} ms)  {counts}{load}"
    )


def _show(rows: Sequence[Row], trials: Sequence[Trial]) -> None:
    say("\n" + as_table(rows))
    say("\n" + harm_table([harm(trials, side) for side in Side]))
    for side in Side:
        if of_side(trials, side):
            say("\n" + moves_table(trials, side))


def _write(output: Path, rows: Sequence[Row], trials: Sequence[Trial]) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "rows": [asdict(row) for row in rows],
        "harm": [asdict(harm(trials, side)) for side in Side],
        "trials": [_as_json(trial) for trial in trials],
    }
    output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"\n{output}")


def _as_json(trial: Trial) -> dict[str, object]:
    """Return *trial* with its moves in milliseconds."""
    told = trial.told
    moves_ms = {move: round(told.took_ms(move), 1) for move in told.moves}
    return asdict(trial) | {"told": {"run": told.run, "doubt": told.doubt, "moves_ms": moves_ms}}
