"""Looks with several probes side by side, once or until they pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_delay

from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Clock, Prober

AT_ONCE = 16
FIRST_WAIT_S = 0.002
LONGEST_WAIT_S = 0.25
LATENESS = 0.05
"""Between two looks passes so much of the time already waited: what changes in milliseconds is
seen in milliseconds, and what takes minutes is not asked for a thousand times."""


class SideBySide:
    """Satisfies the port ``Looker`` with one prober for each kind of probe."""

    def __init__(self, probers: Mapping[str, Prober], clock: Clock) -> None:
        self._probers = probers
        self._clock = clock
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look")

    def look(self, probes: Sequence[Probe], *, within: timedelta) -> Sequence[Evidence]:
        """Look once with each; answers stand in the order of the questions."""
        if len(probes) == 1:
            return [self._look_once(probes[0], within)]
        return list(self._pool.map(lambda probe: self._look_once(probe, within), probes))

    def look_until(self, probes: Sequence[Probe], *, within: timedelta) -> Sequence[Evidence]:
        """Look again with each that has not passed, until it has or the time is over."""
        if len(probes) == 1:
            return [self._look_patiently(probes[0], within)]
        return list(self._pool.map(lambda probe: self._look_patiently(probe, within), probes))

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look_once(self, probe: Probe, within: timedelta) -> Evidence:
        return self._probers[probe.kind].look(probe, within=within)

    def _look_patiently(self, probe: Probe, within: timedelta) -> Evidence:
        until = self._clock.monotonic() + within.total_seconds()

        def look() -> Evidence:
            left = timedelta(seconds=max(0.05, until - self._clock.monotonic()))
            return self._look_once(probe, left)

        retrying = Retrying(
            retry=retry_if_result(lambda look: look.verdict is not Verdict.PASSED),
            wait=_wait_s,
            stop=stop_after_delay(within),
            sleep=lambda seconds: self._clock.pause(timedelta(seconds=seconds)),
            retry_error_callback=_last_look,
        )
        return retrying(look)


def _wait_s(state: RetryCallState) -> float:
    waited_s = state.seconds_since_start or 0.0
    return min(LONGEST_WAIT_S, max(FIRST_WAIT_S, LATENESS * waited_s))


def _last_look(state: RetryCallState) -> Evidence:
    if state.outcome is None:
        raise RuntimeError("tenacity gave up before the first look")
    evidence: Evidence = state.outcome.result()
    return evidence
