"""The parts of the final verification, put together for one run."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.adapters.canary_over_ssh import SshCanary
from orchestrator.adapters.marker_count import count_markers
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.suites_pytest import PytestSuites
from orchestrator.domain.environment import Environment
from orchestrator.domain.journey import Journey
from orchestrator.domain.observation import Found
from orchestrator.domain.run import CheckDone, RunId
from orchestrator.engine.ports import FactFinder


class LiveVerifier:
    """Satisfies the port ``Verifier``."""

    def __init__(
        self,
        run: RunId,
        environment: Environment,
        canary: SshCanary,
        suites: PytestSuites,
        finder: FactFinder,
        sql: SqlSessions,
    ) -> None:
        self._run = run
        self._environment = environment
        self._canary = canary
        self._suites = suites
        self._finder = finder
        self._sql = sql

    def walk(self, journey: Journey, *, times: int) -> Sequence[CheckDone]:
        """Walk *journey* so often in a row from the client's side."""
        return self._canary.walk(journey, times=times)

    def run_suite(self, suite: str) -> Sequence[CheckDone]:
        """Run one pytest suite against the hosts."""
        return self._suites.run(suite)

    def count_markers(self) -> Found:
        """Count the markers of this run's canary, and of the standing watch, in the database."""
        samples = self._canary.samples()
        return count_markers(self._environment, self._run, self._finder, self._sql, samples)
