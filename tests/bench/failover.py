"""An unplanned failover by `recover` and by tuned Patroni, side by side in one run."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

from orchestrator.domain.environment import Environment
from tests.bench import failover_table as table
from tests.bench.bench_lab import FAILURES, bench_lab, full_environment, say, users_of_pooler
from tests.bench.failover_trials import Fault, SideName, Trial, try_failover
from tests.bench.instrument import Instrument
from tests.bench.patroni import patroni_in_charge, require_packages
from tests.bench.patroni_settings import ENTRY_PORT
from tests.bench.patroni_side import PatroniSide
from tests.bench.recover_command import RecoverCommand, chosen_settings
from tests.bench.recover_side import RecoverSide
from tests.bench.warm_ssh import WarmSsh, warm_ssh
from tests.support.lab import Lab

RUNS = 3
MINUTES = 10.0
OUTPUT = Path("build/bench-failover.json")
SELDOM = timedelta(hours=1)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let *parser* take what :func:`measure_failovers` needs to know."""
    parser.add_argument("--runs", type=int, default=RUNS, help="of each side with each fault")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="start no round after that")
    parser.add_argument("--faults", type=Fault, nargs="+", choices=Fault, default=tuple(Fault))
    parser.add_argument(
        "--sides", type=SideName, nargs="+", choices=SideName, default=tuple(SideName)
    )
    parser.add_argument("--output", type=Path, default=OUTPUT)


def measure_failovers(arguments: argparse.Namespace) -> str:
    """Measure, print tables, write the JSON; what was measured before a failure is kept.

    Returns:
        What failed; empty if nothing did.
    """
    trials: list[Trial] = []
    failure = ""
    try:
        for trial in _measure(arguments):
            _tell(trial)
            trials.append(trial)
    except FAILURES as error:
        failure = f"{type(error).__name__}: {error}"
    say("\n" + table.waits_table(trials))
    say("\n" + table.writes_table(trials))
    _write(arguments.output, trials)
    return failure


def _measure(arguments: argparse.Namespace) -> Iterator[Trial]:
    """Yield trials as they come; the sides take turns, each with every fault."""
    require_packages()
    recover = RecoverCommand(settings=chosen_settings())
    until = time.monotonic() + arguments.minutes * 60
    with bench_lab(recover) as (lab, _), warm_ssh(lab) as ssh:
        for _ in range(arguments.runs):
            if time.monotonic() > until:
                return
            if SideName.OURS in arguments.sides:
                yield from _try_ours(recover, lab, arguments.faults)
            if SideName.PATRONI in arguments.sides:
                yield from _try_patroni(recover, lab, ssh, arguments.faults)


def _try_ours(recover: RecoverCommand, lab: Lab, faults: Sequence[Fault]) -> Iterator[Trial]:
    side = RecoverSide(lab, recover)
    with _standing_watch(recover), users_of_pooler(recover.settings, lab) as eye:
        for fault in faults:
            yield try_failover(_fresh_name(fault), fault, side, eye)


@contextmanager
def _standing_watch(recover: RecoverCommand) -> Iterator[None]:
    """Have a witness of what was before a fault, as the playbook asks for."""
    recover.call("watch", "start")
    yield
    recover.call("watch", "stop")


def _try_patroni(
    recover: RecoverCommand, lab: Lab, ssh: WarmSsh, faults: Sequence[Fault]
) -> Iterator[Trial]:
    environment = _through_haproxy(full_environment(recover.settings))
    with patroni_in_charge(lab, ssh) as cluster:
        side = PatroniSide(lab, cluster)
        with closing(Instrument(environment, recover.settings, cluster.connect)) as eye:
            for fault in faults:
                yield try_failover(_fresh_name(fault), fault, side, eye)


def _through_haproxy(environment: Environment) -> Environment:
    """Let users come to the port of HAProxy; there is no shop behind it that they could visit."""
    database = environment.services[environment.watch.service]
    entry = next(s for s in environment.services.values() if s.name == database.entry)
    return replace(
        environment,
        services={**environment.services, entry.name: replace(entry, port=ENTRY_PORT)},
        watch=replace(environment.watch, walk_every=SELDOM),
    )


def _fresh_name(fault: Fault) -> str:
    return f"bench-{fault}-{time.monotonic_ns() // 1_000_000}"


def _tell(trial: Trial) -> None:
    """Say how one trial went, to whoever waits."""
    say(
        f"{trial.side:8}  {trial.fault:10}  {trial.direction}"
        f"  {trial.outage.length.total_seconds():6.2f} s  lost {len(trial.writes.lost)}"
    )


def _write(output: Path, trials: Sequence[Trial]) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "rows": [asdict(row) for row in table.rows(trials)],
        "trials": [asdict(trial) for trial in trials],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    output.write_text(f"{text}\n", encoding="utf-8")
    say(f"\n{output}")
