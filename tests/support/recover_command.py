"""The command `recover` as people call it, and what its runs leave in the journal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.adapters.system import SystemClock
from orchestrator.bootstrap.plans import make_plan_now
from orchestrator.bootstrap.runs import create_run
from orchestrator.domain.checklist import PersonName
from orchestrator.domain.plan import Plan
from orchestrator.domain.run import (
    Entry,
    GateRefused,
    GateWaits,
    RunId,
    StepIntended,
    UndoFinished,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.interfaces.desk import RunDesk
from orchestrator.settings import Settings
from tests.support.lab import REPOSITORY, Lab, wait_until

E = TypeVar("E")
TIME_LIMIT_S = 150
PLAYBOOK = "database-switchover"
PREFLIGHT_FILE = "checklists/database-switchover-preflight.yaml"
PLAYBOOK_FILE = f"playbooks/{PLAYBOOK}/playbook.yaml"
SERVICE = "orders-db"
SIGNERS = ("grace", "lin")
# What else runs on this machine shows as silences of its own in the upper bound of the downtime,
# which the bench judges; what a test looks at is the longest gap between two writes.
ALLOWED_DOWNTIME = "8s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """The command with a state and a content of its own, in one environment."""

    state: Path
    content: Path
    environment: str

    def __call__(
        self, *arguments: str, within_s: float = TIME_LIMIT_S
    ) -> subprocess.CompletedProcess[str]:
        """Call it with nobody at the keyboard, and return what became of it."""
        places = ["--state", str(self.state), "--content", str(self.content)]
        return subprocess.run(
            [sys.executable, "-P", "-m", "orchestrator", *places, *arguments],
            env=os.environ
            | {"PYTHONPATH": str(REPOSITORY), "RECOVER_ENVIRONMENT": self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=within_s,
        )

    def switch_over(self, *options: str, by: str = "ada") -> subprocess.CompletedProcess[str]:
        """Run the playbook and follow it until it ends or is held."""
        return self("run", PLAYBOOK, "--as", by, "--confirm", SERVICE, *options)

    def start(self, *options: str, by: str = "ada") -> Run:
        """Start the playbook and leave it to itself."""
        told = self.switch_over("--detach", *options, by=by)
        assert told.returncode == 0, told.stderr
        return self.run(told.stdout.strip())

    def plan(self) -> tuple[Plan, Mapping[str, bytes]]:
        """Make a plan of the world as it is now, and start nothing."""
        return make_plan_now(self.settings, PLAYBOOK, self.environment, {})

    def start_late(self, plan: Plan, files: Mapping[str, bytes]) -> Run:
        """Start a run of a plan that was made some time ago."""
        made = create_run(self.settings, plan, files, requester=PersonName("ada"), reason="late")
        resumed = self("resume", made)
        assert resumed.returncode == 0, resumed.stderr
        return self.run(made)

    def run(self, name: str) -> Run:
        return Run(name=RunId(name), recover=self)

    def runs(self) -> Sequence[Run]:
        """Every run of this state, the newest first."""
        return [self.run(name) for name in self.journal().runs()]

    def journal(self) -> SqliteJournal:
        return SqliteJournal(self.settings.journal, SystemClock())

    @property
    def settings(self) -> Settings:
        return Settings(content=self.content, state=self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run, seen from outside."""

    name: RunId
    recover: Recover

    def entries(self) -> Sequence[Entry]:
        return self.recover.journal().read(self.name)

    def all_of(self, kind: type[E]) -> list[E]:
        """Every event of that kind so far."""
        return [entry.event for entry in self.entries() if isinstance(entry.event, kind)]

    def await_event(self, kind: type[E], suits: Callable[[E], bool] = lambda _: True) -> E:
        """Wait until the journal tells of such an event."""
        journal = self.recover.journal()

        def told() -> list[E]:
            events = (entry.event for entry in journal.read(self.name))
            return [event for event in events if isinstance(event, kind) and suits(event)]

        return wait_until(told, f"{kind.__name__} in run {self.name}")[-1]

    def sign(self, *names: str) -> None:
        """Let people say yes to everything that the run asks them."""
        self.await_event(GateWaits)
        for name in names or SIGNERS:
            desk = RunDesk(self.recover.settings, self.name)
            for item in desk.items_for(PersonName(name)):
                desk.sign(item, by=PersonName(name), verdict=Verdict.PASSED, comment="in a test")

    def attach(self) -> subprocess.CompletedProcess[str]:
        """Follow it until it ends or is held."""
        return self.recover("attach", self.name)

    def report(self) -> Mapping[str, Any]:
        """Its report as a machine reads it."""
        told = self.recover("report", self.name, "--format", "json")
        assert told.returncode == 0, told.stderr
        report: Mapping[str, Any] = json.loads(told.stdout)
        return report

    def row(self) -> Mapping[str, Any]:
        """Its row in the list of runs."""
        rows: list[Mapping[str, Any]] = json.loads(self.recover("runs", "-o", "json").stdout)
        return next(row for row in rows if row["run"] == self.name)

    def begun_steps(self) -> list[str]:
        return [event.step for event in self.all_of(StepIntended)]

    def undone_steps(self) -> list[str]:
        return [event.step for event in self.all_of(UndoFinished)]

    def obstacles(self) -> Mapping[str, str]:
        """Why the gate was refused, by item."""
        [refused] = self.all_of(GateRefused)
        return dict(_halves(obstacle) for obstacle in refused.obstacles)


def recover_in(folder: Path, lab: Lab) -> Recover:
    """Return the command for *lab*, with content to write on and without any earlier run."""
    state = folder / "state"
    state.mkdir()
    (state / "lab").symlink_to(lab.home)
    content = folder / "content"
    for part in ("playbooks", "checklists", "environments"):
        shutil.copytree(REPOSITORY / part, content / part)
    edit_content(content, PLAYBOOK_FILE, "downtime: 1s", f"downtime: {ALLOWED_DOWNTIME}")
    return Recover(state=state, content=content, environment=lab.blueprint.environment)


def edit_content(content: Path, file: str, old: str, new: str) -> None:
    """Replace a text that *file* holds once."""
    text = (content / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} does not hold {old!r} once"
    (content / file).write_text(text.replace(old, new), encoding="utf-8")


def _halves(obstacle: str) -> tuple[str, str]:
    item, _, reason = obstacle.partition(": ")
    return item, reason
