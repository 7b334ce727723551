"""The instrument: the product's own synthetic user on the client host, for both sides alike."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from orchestrator.adapters.canary_over_ssh import SshCanary
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore, SystemClock
from orchestrator.domain.environment import Environment
from orchestrator.domain.observation import Found, Measurement
from orchestrator.domain.run import RunId
from orchestrator.engine.watching import measure
from orchestrator.settings import Settings
from tests.bench.roles import await_calm
from tests.support.lab import Lab

ACCOUNT = "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What users had of one trial.

    Attributes:
        longest_gap_ms: The longest time between two acknowledged writes.
        failed: Writes that were refused or whose fate the client does not know, and walks of
            the journey that did not pass.
        lost: Writes that were acknowledged and are gone, or are there twice.
    """

    longest_gap_ms: float
    acknowledged: int
    failed: int
    lost: int
    errors: tuple[str, ...]
    doubts: tuple[str, ...]


class Instrument:
    """Starts synthetic users and reads what they saw."""

    def __init__(self, lab: Lab, environment: Environment, settings: Settings) -> None:
        self._lab = lab
        self._environment = environment
        self._secrets = SecretStore(settings.state)
        self._ssh = SshSessions(environment, self._secrets)

    @contextmanager
    def watching(self, name: str) -> Iterator[None]:
        """Let a synthetic user work as *name* during the block, as one does during a run."""
        with self._canary(name) as canary:
            canary.start()
            try:
                yield
            finally:
                canary.stop()

    def seen(self, name: str) -> Seen:
        """Return what the synthetic user of that name saw; it has stopped."""
        with self._canary(name) as canary:
            samples = canary.samples()
        return _sum_up(measure(samples, (), found=self._count(name)))

    def close(self) -> None:
        """Hang up."""
        self._ssh.close()

    @contextmanager
    def _canary(self, name: str) -> Iterator[SshCanary]:
        with tempfile.TemporaryDirectory(prefix="recover-bench-") as folder:
            yield SshCanary(
                RunId(name),
                self._environment,
                self._ssh,
                self._secrets,
                SystemClock(),
                Path(folder) / "samples.jsonl",
            )

    def _count(self, name: str) -> Found:
        primary = await_calm(self._lab).primary
        with closing(self._lab.connect(primary, user=ACCOUNT)) as session:
            rows = session.execute(
                "select seq, count(*) from recover_marker where run = %s group by seq", (name,)
            ).fetchall()
        return {int(str(seq)): int(str(count)) for seq, count in rows}


def _sum_up(measured: Measurement) -> Seen:
    assert measured.gaps is not None, f"hardly a write was acknowledged: {measured.doubts}"
    writes = measured.writes
    return Seen(
        longest_gap_ms=measured.gaps.longest / timedelta(milliseconds=1),
        acknowledged=writes.acknowledged,
        failed=writes.failed + writes.unknown + measured.walks.failed,
        lost=len(writes.lost) + len(writes.duplicate),
        errors=tuple(f"{error.count} × {error.error}" for error in measured.errors),
        doubts=measured.doubts,
    )
