"""The lab for as long as something is measured in it, and a word to whoever waits."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import psycopg

from orchestrator.bootstrap import contents
from orchestrator.domain.environment import Environment
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.lab import lifecycle
from orchestrator.lab.errors import LabError
from orchestrator.lab.topology import FULL
from orchestrator.settings import Settings
from tests.bench.instrument import Instrument
from tests.bench.recover_command import PLAYBOOK, RecoverCommand, RunFailed
from tests.bench.roles import LabUnfit, await_calm
from tests.bench.warm_ssh import CommandFailed
from tests.support.lab import Lab

FAILURES = (
    *(CommandFailed, LabError, LabUnfit, RunFailed, TargetUnavailable),
    *(httpx.HTTPError, psycopg.OperationalError, KeyboardInterrupt),
)
"""What ends a measurement early and leaves what was measured before."""


@contextmanager
def bench_lab(recover: RecoverCommand) -> Iterator[tuple[Lab, float | None]]:
    """Yield the lab and, if it had to be brought up, how long that took; leave it as it was."""
    home = recover.settings.lab
    was_up = bool(lifecycle.status(home).hosts)
    began = time.monotonic()
    say(recover.call("lab", "up"))
    up_ms = None if was_up else (time.monotonic() - began) * 1000
    try:
        if lifecycle.status(home).kind != FULL.kind:
            raise LabUnfit("only the full lab can be measured: root and namespaces are needed")
        yield Lab(blueprint=FULL, home=home), up_ms
    finally:
        if not was_up:
            recover.call("lab", "down")


def full_environment(settings: Settings) -> Environment:
    """Return what the content says of the lab."""
    _, environment = contents.load(settings).pick(PLAYBOOK, FULL.environment)
    return environment.value


@contextmanager
def users_of_pooler(settings: Settings, lab: Lab) -> Iterator[Instrument]:
    """Watch what those see who come through the lab's pooler."""
    with closing(
        Instrument(
            full_environment(settings),
            settings,
            lambda user: lab.connect(await_calm(lab).primary, user=user),
        )
    ) as instrument:
        yield instrument


def say(line: str) -> None:
    """Tell whoever waits, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
