"""The standing watch of an environment, with what reaches its client host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.adapters.canary_host import CanaryHost
from orchestrator.adapters.canary_specs import CanarySpecs
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.standing_watch import StandingWatch
from orchestrator.adapters.system import SecretStore
from orchestrator.bootstrap import contents
from orchestrator.bootstrap.runs import CLOCK
from orchestrator.settings import Settings


@contextmanager
def standing_watch(settings: Settings, environment: str) -> Iterator[StandingWatch]:
    """Reach the standing watch of *environment* for the time of the block.

    Raises:
        ContentInvalid: With every problem of the environment's files.
        RequestMalformed: If there is no such environment.
    """
    where = contents.load(settings).find_environment(environment).value
    secrets = SecretStore(settings.state)
    ssh = SshSessions(where, secrets)
    try:
        yield StandingWatch(CanaryHost(where, ssh, CLOCK), CanarySpecs(where, secrets))
    finally:
        ssh.close()
