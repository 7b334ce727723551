"""Probe ``canary``: does the synthetic user get through, now?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import with_config

from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.observation import MarkerWrite, Sample, Walk
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Canary, Clock

BETWEEN_FETCHES = timedelta(milliseconds=100)


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryInputs:
    """What is expected of the synthetic user.

    Attributes:
        acknowledged_within: So soon from now on a marker is acknowledged.
        walks_in_a_row: So many of the latest walks of the journey all passed.
    """

    acknowledged_within: timedelta | None = None
    walks_in_a_row: int | None = None


class CanaryProber:
    """Satisfies the port ``Prober`` with what the canary of this run sees."""

    def __init__(self, canary: Canary, clock: Clock) -> None:
        self._canary = canary
        self._clock = clock

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Look once; a canary that cannot be heard is inconclusive."""
        wanted = parse(CanaryInputs, probe.inputs)
        at = self._clock.now()
        try:
            verdict, summary = self._look(wanted, within)
        except TargetUnavailable as error:
            verdict, summary = Verdict.INCONCLUSIVE, str(error)
        return Evidence(verdict=verdict, summary=summary, at=at)

    def _look(self, wanted: CanaryInputs, within: timedelta) -> tuple[Verdict, str]:
        if wanted.acknowledged_within is not None:
            return self._await_write(min(wanted.acknowledged_within, within))
        if wanted.walks_in_a_row is not None:
            return _count_walks(self._canary.samples(), wanted.walks_in_a_row)
        return Verdict.INCONCLUSIVE, "the probe expects nothing of the canary"

    def _await_write(self, within: timedelta) -> tuple[Verdict, str]:
        """Wait for a marker that is acknowledged from now on: an older one proves nothing.

        Told by their numbers, because the canary's clock is not ours.
        """
        until = self._clock.monotonic() + within.total_seconds()
        known = {marker.name for marker in _acknowledged(self._canary.samples())}
        while self._clock.monotonic() < until:
            self._clock.pause(BETWEEN_FETCHES)
            for marker in _acknowledged(self._canary.samples()):
                if marker.name not in known:
                    took_ms = (marker.done - marker.sent) / timedelta(milliseconds=1)
                    return Verdict.PASSED, f"marker {marker.seq} acknowledged in {took_ms:.1f} ms"
        return Verdict.FAILED, f"no write acknowledged in {within.total_seconds():g} s"


def _acknowledged(samples: Sequence[Sample]) -> Iterator[MarkerWrite]:
    """Yield the acknowledged markers, the newest of this run first."""
    for sample in reversed(samples):
        if isinstance(sample, MarkerWrite) and sample.is_acknowledged:
            yield sample


def _count_walks(samples: Sequence[Sample], wanted: int) -> tuple[Verdict, str]:
    walks = [sample for sample in samples if isinstance(sample, Walk)][-wanted:]
    failed = next((walk for walk in walks if not walk.passed), None)
    if failed:
        return Verdict.FAILED, f"walk {failed.number} failed at {failed.action}: {failed.error}"
    verdict = Verdict.PASSED if len(walks) == wanted else Verdict.FAILED
    return verdict, f"{len(walks)} of {wanted} walks in a row passed"
