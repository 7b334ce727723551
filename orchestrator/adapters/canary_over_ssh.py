"""The canary of one run, started, read and stopped over SSH; and journeys walked in its place."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

from orchestrator.adapters.canary.samples import read_samples, standing_beside
from orchestrator.adapters.canary.spec import write_spec
from orchestrator.adapters.canary_host import CanaryHost
from orchestrator.adapters.canary_specs import CanarySpecs
from orchestrator.adapters.fetched_samples import FetchedSamples
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.environment import Environment
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.journey import Journey
from orchestrator.domain.observation import STANDING, MarkerWrite, Sample, Walk
from orchestrator.domain.run import CheckDone, RunId, WatchStarted
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Clock

START_LIMIT = timedelta(seconds=20)
STOP_LIMIT = timedelta(seconds=20)
WALK_LIMIT = timedelta(seconds=60)
STANDING_REACH = timedelta(minutes=10)
"""So far before a run the samples of a standing watch count. It keeps more than that."""


class SshCanary:
    """Satisfies the port ``Canary``: this run's own, and a standing watch if one is at work."""

    def __init__(
        self,
        run: RunId,
        environment: Environment,
        ssh: SshSessions,
        secrets: SecretStore,
        clock: Clock,
        samples_file: Path,
    ) -> None:
        self._run = run
        self._host = CanaryHost(environment, ssh, clock)
        self._specs = CanarySpecs(environment, secrets)
        self._own = FetchedSamples(run, self._host, samples_file)
        self._standing = FetchedSamples(STANDING, self._host, standing_beside(samples_file))

    def start(self) -> WatchStarted:
        """Start it, or find it running; adopt a standing watch that is at work.

        Raises:
            TargetUnavailable: If nobody will be watching.
        """
        spec = self._specs.for_run(self._run)
        self._host.call("start", stdin=write_spec(spec).decode(), within=START_LIMIT)
        started = self._host.compare_clocks()
        oldest = self._adopt_standing()
        if oldest is None:
            return started
        since = oldest + timedelta(seconds=started.skew_s)
        return replace(started, standing=True, since=since)

    def samples(self) -> Sequence[Sample]:
        """Fetch what is new, and return everything seen so far: what is older first."""
        if not self._standing.file.exists():
            return self._own.fetch()
        with ThreadPoolExecutor(max_workers=1) as aside:
            standing = aside.submit(self._standing.fetch)
            own = self._own.fetch()
            return (*standing.result(), *own)

    def samples_file(self) -> str:
        """Return the name of the file with the samples."""
        return self._own.file.name

    def stop(self) -> None:
        """Let it write its last line and end; a standing watch goes on."""
        self._host.call("stop", "--run", self._run, within=STOP_LIMIT)

    def walk(self, journey: Journey, *, times: int) -> Sequence[CheckDone]:
        """Walk *journey* so often in a row from the client host; one check for all."""
        spec = write_spec(self._specs.for_walks(self._run, journey)).decode()
        try:
            printed = self._host.call("walk", "--times", str(times), stdin=spec, within=WALK_LIMIT)
        except TargetUnavailable as error:
            return [_journey_check(journey, Verdict.INCONCLUSIVE, str(error), [])]
        walks = [s for s in read_samples(printed.encode().splitlines()) if isinstance(s, Walk)]
        return [_judge_walks(journey, walks, times)]

    def _adopt_standing(self) -> datetime | None:
        """Return when the standing watch saw its oldest marker; nothing if none is at work."""
        try:
            seen = self._standing.begin(STANDING_REACH)
        except TargetUnavailable:
            return None
        return min((s.sent for s in seen if isinstance(s, MarkerWrite)), default=None)


def _judge_walks(journey: Journey, walks: Sequence[Walk], times: int) -> CheckDone:
    took_ms = [(walk.done - walk.sent) / timedelta(milliseconds=1) for walk in walks]
    failed = next((walk for walk in walks if not walk.passed), None)
    if failed:
        detail = f"walk {failed.number} failed at {failed.action}: {failed.error}"
        return _journey_check(journey, Verdict.FAILED, detail, took_ms)
    if len(walks) < times:
        detail = f"only {len(walks)} of {times} walks were reported"
        return _journey_check(journey, Verdict.INCONCLUSIVE, detail, took_ms)
    detail = (
        f"{times} of {times} in a row, each read back by another path; "
        f"median {median(took_ms):.0f} ms, slowest {max(took_ms):.0f} ms"
    )
    return _journey_check(journey, Verdict.PASSED, detail, took_ms)


def _journey_check(
    journey: Journey, verdict: Verdict, detail: str, took_ms: Sequence[float]
) -> CheckDone:
    return CheckDone(
        group="journey",
        name=journey.journey,
        verdict=verdict,
        detail=detail,
        duration_s=round(sum(took_ms) / 1000, 3),
    )
