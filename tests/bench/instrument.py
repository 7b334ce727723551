"""The instrument: the product's own synthetic user on the client host, for both sides alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from orchestrator.adapters.canary_over_ssh import SshCanary
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore, SystemClock
from orchestrator.domain.environment import Environment
from orchestrator.domain.observation import (
    Found,
    Interval,
    MarkerId,
    MarkerWrite,
    Measurement,
    Sample,
    WriteOutcome,
)
from orchestrator.domain.run import RunId
from orchestrator.engine.watching import measure
from orchestrator.settings import Settings
from tests.bench.roles import Session

ACCOUNT = "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What users had of one trial.

    Attributes:
        held_gap_ms: The longest time between two acknowledged writes, of those that touch the
            time in which traffic was held.
        longest_gap_ms: The longest of all, from the first write to the last.
        failed: Writes that were refused or whose fate the client does not know, and walks of
            the journey that did not pass.
        lost: Writes that were acknowledged and are gone, or are there twice.
    """

    held_gap_ms: float
    longest_gap_ms: float
    acknowledged: int
    failed: int
    lost: int
    errors: tuple[str, ...]
    doubts: tuple[str, ...]


class Instrument:
    """Starts synthetic users and reads what they saw.

    Args:
        environment: Its watch says who works where, and its entry is what they come through.
        connect: Connects a user to the primary once all is calm, to count what is there.
    """

    def __init__(
        self, environment: Environment, settings: Settings, connect: Callable[[str], Session]
    ) -> None:
        self._connect = connect
        self._environment = environment
        self._secrets = SecretStore(settings.state)
        self._ssh = SshSessions(environment, self._secrets)

    @contextmanager
    def watching(self, name: str) -> Iterator[SshCanary]:
        """Let a synthetic user work as *name* during the block, as one does during a run."""
        with self._canary(name) as canary:
            canary.start()
            try:
                yield canary
            finally:
                canary.stop()

    def seen(self, name: str, held: Interval) -> Seen:
        """Return what the synthetic user of that name saw; it has stopped."""
        samples = self.samples(name)
        measured = measure(samples, (), found=self.count(name), run=name)
        return _sum_up(measured, gap_across(samples, held).length)

    def samples(self, name: str) -> Sequence[Sample]:
        """Return all that the synthetic user of that name saw so far."""
        with self._canary(name) as canary:
            return canary.samples()

    def count(self, name: str) -> Found:
        """Return how often each marker of that name is in the database."""
        with closing(self._connect(ACCOUNT)) as session:
            rows = session.execute(
                "select seq, count(*) from recover_marker where run = %s group by seq", (name,)
            ).fetchall()
        return {MarkerId(name, int(str(seq))): int(str(count)) for seq, count in rows}

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


def gap_across(samples: Iterable[Sample], held: Interval) -> Interval:
    """Return the longest time between two acknowledged writes that touches *held*."""
    markers = (sample for sample in samples if isinstance(sample, MarkerWrite))
    acknowledged = sorted(m.done for m in markers if m.outcome is WriteOutcome.ACKNOWLEDGED)
    gaps = (
        Interval(earlier, later)
        for earlier, later in pairwise(acknowledged)
        if earlier <= held.end and held.start <= later
    )
    return max(gaps, key=lambda gap: gap.length)


def _sum_up(measured: Measurement, across: timedelta) -> Seen:
    assert measured.gaps is not None, f"hardly a write was acknowledged: {measured.doubts}"
    writes = measured.writes
    return Seen(
        held_gap_ms=across / timedelta(milliseconds=1),
        longest_gap_ms=measured.gaps.longest / timedelta(milliseconds=1),
        acknowledged=writes.acknowledged,
        failed=writes.failed + writes.unknown + measured.walks.failed,
        lost=len(writes.lost) + len(writes.duplicate),
        errors=tuple(f"{error.count} × {error.error}" for error in measured.errors),
        doubts=measured.doubts,
    )
