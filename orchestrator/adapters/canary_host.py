"""The client host: ``recover canary``, called there over SSH, and what time it is there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.ssh_commands import Finished
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.domain.environment import Environment
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.run import WatchStarted
from orchestrator.engine.ports import Clock

READ_LIMIT = timedelta(seconds=10)
CLOCK_LOOKS = 5


class CanaryHost:
    """Calls the canary's commands where it runs."""

    def __init__(self, environment: Environment, ssh: SshSessions, clock: Clock) -> None:
        self._watch = environment.watch
        self._ssh = ssh
        self._clock = clock

    def call(self, *words: str, stdin: str = "", within: timedelta) -> str:
        """Return what ``recover canary WORDS`` prints there.

        Raises:
            TargetUnavailable: If it cannot be reached, or says no; with its words.
        """
        return self._run([*self._watch.command, "canary", *words], stdin, within)

    def compare_clocks(self) -> WatchStarted:
        """Ask the host for its time, and trust the answer that came back soonest."""
        looks = [self._compare_clocks_once() for _ in range(CLOCK_LOOKS)]
        return min(looks, key=lambda look: look.skew_error_s)

    def _compare_clocks_once(self) -> WatchStarted:
        before = self._clock.now()
        printed = self._run(["date", "+%s.%N"], "", READ_LIMIT)
        took_s = (self._clock.now() - before).total_seconds()
        skew_s = before.timestamp() + took_s / 2 - float(printed)
        return WatchStarted(skew_s=round(skew_s, 6), skew_error_s=round(took_s / 2, 6))

    def _run(self, argv: Sequence[str], stdin: str, within: timedelta) -> str:
        host = self._watch.host
        ended = self._ssh.run(host, argv, stdin=stdin, deadline=Deadline.after(within))
        if not isinstance(ended, Finished):
            raise TargetUnavailable(f"the canary on {host} cannot be reached: {ended.detail}")
        if ended.exit_code != 0:
            raise TargetUnavailable(f"the canary on {host}: {_error_in(ended.output)}")
        return ended.stdout


def _error_in(output: str) -> str:
    """Return what the canary answered, or the last line of whatever was printed instead."""
    last = output.strip().splitlines()[-1:] or ["no answer"]
    try:
        answer = json.loads(last[0])
    except ValueError:
        return last[0]
    return str(answer.get("error", last[0])) if isinstance(answer, dict) else last[0]
