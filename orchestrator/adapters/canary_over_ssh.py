"""The canary of one run, started, read and stopped over SSH; and journeys walked in its place."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median

from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary.spec import CanarySpec, MarkerSpec, WalkSpec, write_spec
from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.journey_walker import Surroundings
from orchestrator.adapters.ssh_commands import Finished
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.targets import member_of
from orchestrator.domain.environment import Environment, ServiceName
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.journey import Journey
from orchestrator.domain.observation import Sample, Walk
from orchestrator.domain.run import CheckDone, RunId, WatchStarted
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Clock

START_LIMIT = timedelta(seconds=20)
READ_LIMIT = timedelta(seconds=10)
STOP_LIMIT = timedelta(seconds=20)
WALK_LIMIT = timedelta(seconds=60)
CLOCK_LOOKS = 5
PAGE_BYTES = 1 << 20


class SshCanary:
    """Satisfies the port ``Canary``."""

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
        self._environment = environment
        self._ssh = ssh
        self._secrets = secrets
        self._clock = clock
        self._file = samples_file
        self._fetching = threading.Lock()
        self._read_bytes = 0
        self._seen: list[Sample] = []

    def start(self) -> WatchStarted:
        """Start it, or find it running.

        Raises:
            TargetUnavailable: If nobody will be watching.
        """
        spec = CanarySpec(run=self._run, markers=self._markers(), walks=self._walks(None))
        self._call("start", stdin=write_spec(spec).decode(), within=START_LIMIT)
        return self._compare_clocks()

    def samples(self) -> Sequence[Sample]:
        """Fetch what is new, and return everything seen so far."""
        with self._fetching:
            while self._fetch() > PAGE_BYTES // 2:
                pass
            return tuple(self._seen)

    def samples_file(self) -> str:
        """Return the name of the file with the samples."""
        return self._file.name

    def stop(self) -> None:
        """Let it write its last line and end."""
        self._call("stop", "--run", self._run, within=STOP_LIMIT)

    def walk(self, journey: Journey, *, times: int) -> Sequence[CheckDone]:
        """Walk *journey* so often in a row from the client host; one check for all."""
        spec = CanarySpec(run=self._run, walks=self._walks(journey))
        try:
            printed = self._call(
                "walk", "--times", str(times), stdin=write_spec(spec).decode(), within=WALK_LIMIT
            )
        except TargetUnavailable as error:
            return [_journey_check(journey, Verdict.INCONCLUSIVE, str(error), [])]
        walks = [s for s in read_samples(printed.encode().splitlines()) if isinstance(s, Walk)]
        return [_judge_walks(journey, walks, times)]

    def _fetch(self) -> int:
        """Fetch one page of what is new, and return how many bytes that was.

        It is written to the file first, so that a driver after us goes on from there.
        """
        if not self._file.exists():
            self._file.touch(mode=0o600)
        if not self._read_bytes:
            self._take(self._file.read_bytes())
        new = self._call(
            *("read", "--run", self._run, "--offset", str(self._read_bytes)),
            *("--limit", str(PAGE_BYTES)),
            within=READ_LIMIT,
        ).encode()
        with self._file.open("ab") as file:
            file.write(new)
        self._take(new)
        return len(new)

    def _take(self, lines: bytes) -> None:
        self._read_bytes += len(lines)
        self._seen.extend(read_samples(lines.splitlines()))

    def _compare_clocks(self) -> WatchStarted:
        """Ask the client host for its time, and trust the answer that came back soonest."""
        looks = [self._compare_clocks_once() for _ in range(CLOCK_LOOKS)]
        return min(looks, key=lambda look: look.skew_error_s)

    def _compare_clocks_once(self) -> WatchStarted:
        before = self._clock.now()
        printed = self._run_there(["date", "+%s.%N"], "", READ_LIMIT)
        took_s = (self._clock.now() - before).total_seconds()
        skew_s = before.timestamp() + took_s / 2 - float(printed)
        return WatchStarted(skew_s=round(skew_s, 6), skew_error_s=round(took_s / 2, 6))

    def _call(self, *words: str, stdin: str = "", within: timedelta) -> str:
        watch = self._environment.watch
        return self._run_there([*watch.command, "canary", *words], stdin, within)

    def _run_there(self, argv: Sequence[str], stdin: str, within: timedelta) -> str:
        host = self._environment.watch.host
        ended = self._ssh.run(host, argv, stdin=stdin, deadline=Deadline.after(within))
        if not isinstance(ended, Finished):
            raise TargetUnavailable(f"the canary on {host} cannot be reached: {ended.detail}")
        if ended.exit_code != 0:
            raise TargetUnavailable(f"the canary on {host}: {_error_in(ended.output)}")
        return ended.stdout

    def _markers(self) -> MarkerSpec:
        watch = self._environment.watch
        service = self._environment.services[watch.service]
        return MarkerSpec(
            database=self._way_to(service.entry or service.name, service.database),
            table=watch.table,
            every_ms=watch.marker_every / timedelta(milliseconds=1),
        )

    def _walks(self, journey: Journey | None) -> WalkSpec:
        watch = self._environment.watch
        journey = journey or self._environment.journeys[watch.journey]
        base_urls = {member: self._base_url(member) for member in journey.members}
        return WalkSpec(
            journey=journey.bound_to(base_urls),
            surroundings=Surroundings(
                databases={name: self._way_to(name, "") for name in journey.databases},
                secrets={
                    name: self._secrets.read(self._environment.secrets[name])
                    for name in journey.secrets
                },
            ),
            every_ms=watch.walk_every / timedelta(milliseconds=1),
        )

    def _base_url(self, target: str) -> str:
        member = member_of(self._environment, target)
        return f"http://{member.host.address}:{member.port}"

    def _way_to(self, service_name: str, database: str) -> Mapping[str, str | int]:
        """Return libpq's parameters for a service, as clients reach it."""
        service = self._environment.services[ServiceName(service_name)]
        member = member_of(self._environment, f"{service.name}/{service.members[0]}")
        account = service.accounts[self._environment.watch.account]
        password = self._secrets.read(account.password) if account.password else ""
        return {
            "host": member.host.address,
            "port": member.port,
            "dbname": database or self._database_behind(service.name),
            "user": account.user,
            "password": password,
        }

    def _database_behind(self, service_name: str) -> str:
        """Return the database that clients of a service, or of an entry to one, use."""
        services = self._environment.services.values()
        behind = next((s for s in services if s.entry == service_name), None)
        return (behind or self._environment.services[ServiceName(service_name)]).database


def _error_in(output: str) -> str:
    """Return what the canary answered, or the last line of whatever was printed instead."""
    last = output.strip().splitlines()[-1:] or ["no answer"]
    try:
        answer = json.loads(last[0])
    except ValueError:
        return last[0]
    return str(answer.get("error", last[0])) if isinstance(answer, dict) else last[0]


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
