"""The standing watch of an environment: started, looked after and stopped over SSH."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.adapters.canary.spec import write_spec
from orchestrator.adapters.canary_host import READ_LIMIT, CanaryHost
from orchestrator.adapters.canary_over_ssh import START_LIMIT, STOP_LIMIT
from orchestrator.adapters.canary_specs import CanarySpecs
from orchestrator.domain.observation import STANDING


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingStatus:
    """Whether a standing watch is at work.

    Attributes:
        last_sign: When it last wrote something down, by the clock of its host.
        silent_for: How long ago that was.
    """

    is_running: bool
    last_sign: datetime | None
    silent_for: timedelta | None


class StandingWatch:
    """Raises `TargetUnavailable` if the host cannot be reached, or the canary says no."""

    def __init__(self, host: CanaryHost, specs: CanarySpecs) -> None:
        self._host = host
        self._specs = specs

    def start(self) -> bool:
        """Start it; return whether it was there already."""
        spec = write_spec(self._specs.for_standing()).decode()
        answer = json.loads(self._host.call("start", stdin=spec, within=START_LIMIT))
        return bool(answer["already_running"])

    def stop(self) -> bool:
        """Stop it; return whether it was there."""
        answer = json.loads(self._host.call("stop", "--run", STANDING, within=STOP_LIMIT))
        return bool(answer["stopped"])

    def status(self) -> StandingStatus:
        """Look after it."""
        told = json.loads(self._host.call("status", "--run", STANDING, within=READ_LIMIT))
        last_s = told["last_sign"]
        return StandingStatus(
            is_running=told["running"],
            last_sign=None if last_s is None else datetime.fromtimestamp(last_s, UTC),
            silent_for=None if last_s is None else timedelta(seconds=told["at"] - last_s),
        )
