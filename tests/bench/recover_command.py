"""Our side: the command `recover`, as a script calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from orchestrator.domain.observation import Interval
from orchestrator.lab.topology import FULL
from orchestrator.settings import Settings
from tests.bench.roles import LabUnfit, Roles

PLAYBOOK = "database-switchover"
FAILOVER = "database-failover"
REQUESTER = "ada"
SIGNERS = ("grace", "lin")
FAILOVER_SIGNERS = ("grace",)
GATE_WITHIN_S = 60
TIME_LIMIT_S = 180.0
INTERPRETER = [sys.executable, "-P"]
"""As the installed command has it, with ``-m`` in place of its script."""
FIRST_MOVE, LAST_MOVE = "hold-client-traffic", "release-client-traffic"


class RunFailed(Exception):
    """A run did not get through; the message is what `recover` printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTold:
    """What the report of a run says.

    Attributes:
        run: Under this name the synthetic user watched.
        doubt: Why it did not end verified; empty if it did.
        moves: When each took place, in order, while users' traffic was held.
    """

    run: str
    doubt: str
    moves: Mapping[str, Interval]

    @property
    def held(self) -> Interval:
        """From the first move to the end of the last."""
        moves = list(self.moves.values())
        return Interval(moves[0].start, moves[-1].end)

    def took_ms(self, move: str) -> float:
        """Return how long one move took."""
        return self.moves[move].length / timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The moments of a failover that people decide on.

    Attributes:
        triggered: Somebody asked for it.
        satisfied: The last gate before the first step was open.
        doubt: Why the run did not end verified; empty if it did.
    """

    triggered: datetime
    satisfied: datetime
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverCommand:
    """The command with its places."""

    settings: Settings

    def switch_over(self, roles: Roles) -> RunTold:
        """Run the playbook live to its end, with every signature it asks for.

        Raises:
            RunFailed: If it did not let the users go on.
        """
        run = self._start(PLAYBOOK, {"target": roles.target}, SIGNERS)
        followed = self._execute("attach", run)
        report = json.loads(self.call("report", run, "--format", "json"))
        if not _let_users_go_on(report):
            raise RunFailed(followed.stdout + followed.stderr)
        return RunTold(
            run=run,
            doubt=_doubt(run, followed, report),
            moves=_moves(report),
        )

    def begin_failover(self) -> str:
        """Start the playbook live, sign all that it asks for, and return the name of the run.

        Raises:
            RunFailed: If it does not ask for the signature.
        """
        return self._start(FAILOVER, {}, FAILOVER_SIGNERS)

    def end_failover(self, run: str, *, triggered: datetime) -> Decision:
        """Go with *run* to its end, and tell what was decided when.

        Raises:
            RunFailed: If its gate never opened.
        """
        followed = self._execute("attach", run)
        report = json.loads(self.call("report", run, "--format", "json"))
        satisfied = report["times"]["gate_opened"]
        if not satisfied:
            raise RunFailed(followed.stdout + followed.stderr)
        return Decision(
            triggered=triggered,
            satisfied=datetime.fromisoformat(satisfied),
            doubt=_doubt(run, followed, report),
        )

    def call(self, *words: str) -> str:
        """Call the command and return what it printed.

        Raises:
            RunFailed: If it exits with anything but 0.
        """
        done = self._execute(*words)
        if done.returncode:
            said = done.stdout + done.stderr
            raise RunFailed(f"recover {' '.join(words)}: exit {done.returncode}\n{said}")
        return done.stdout.strip()

    def _execute(self, *words: str) -> subprocess.CompletedProcess[str]:
        places = ["--state", str(self.settings.state), "--content", str(self.settings.content)]
        return subprocess.run(
            [*INTERPRETER, "-m", "orchestrator", *places, *words],
            cwd=self.settings.content,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )

    def _start(self, playbook: str, assignments: Mapping[str, str], signers: Iterable[str]) -> str:
        chosen = {"quiet_for": "0s", **assignments}
        options = [word for item in chosen.items() for word in ("--set", "=".join(item))]
        who = ["--as", REQUESTER, "--confirm", "orders-db", "--reason", "make bench"]
        where = ["--env", FULL.environment]
        run = self.call("run", playbook, *where, *who, *options, "--detach")
        for name in signers:
            self.call("sign", run, "--as", name, "--wait", str(GATE_WITHIN_S))
        return run


def chosen_settings() -> Settings:
    """Return the places that `recover` would choose without options."""
    settings = Settings.find(None, None)
    if not (settings.content / "playbooks").is_dir():
        raise LabUnfit(
            f"{settings.content} holds no playbooks; call this at the repository's root"
        )
    return settings


def _doubt(run: str, followed: subprocess.CompletedProcess[str], report: Mapping[str, Any]) -> str:
    return f"{run}: {report['summary']}" if followed.returncode else ""


def _let_users_go_on(report: Mapping[str, Any]) -> bool:
    return any(step["name"] == LAST_MOVE and step["outcome"] == "done" for step in report["steps"])


def _moves(report: Mapping[str, Any]) -> Mapping[str, Interval]:
    """Return when each step was at work until the next was, while users waited."""
    steps = [step for step in report["steps"] if step["ended"]]
    names = [step["name"] for step in steps]
    waited = steps[names.index(FIRST_MOVE) : names.index(LAST_MOVE) + 1]
    edges = [*(step["started"] for step in waited), waited[-1]["ended"]]
    times = pairwise(map(datetime.fromisoformat, edges))
    return {step["name"]: Interval(*edge) for step, edge in zip(waited, times, strict=True)}
