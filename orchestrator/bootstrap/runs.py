"""Runs as they are kept: the journal, a folder each, a process that drives."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from pathlib import Path

from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.adapters.plain_values import measurement_from
from orchestrator.adapters.run_folder import RunFolder
from orchestrator.adapters.system import SystemClock, fresh_run_id
from orchestrator.domain.checklist import PersonName
from orchestrator.domain.errors import OrchestratorError
from orchestrator.domain.observation import STANDING, Sample
from orchestrator.domain.plan import Mode, Plan
from orchestrator.domain.report import Report
from orchestrator.domain.run import Entry, Measured, RunCreated, RunId
from orchestrator.engine.reporting import report_of
from orchestrator.engine.requesting import check_requester
from orchestrator.settings import Settings

CLOCK = SystemClock()
BETWEEN_GLANCES = timedelta(milliseconds=20)


def open_journal(settings: Settings) -> SqliteJournal:
    """Return the journal of all runs."""
    return SqliteJournal(settings.journal, CLOCK)


def folder_of(settings: Settings, run: RunId) -> RunFolder:
    """Return what lies beside the journal for one run."""
    return RunFolder(settings.state, run)


def create_run(
    settings: Settings,
    plan: Plan,
    files: Mapping[str, bytes],
    *,
    requester: PersonName,
    reason: str,
) -> RunId:
    """Freeze *plan* as a new run: take its locks, then write its first entry.

    Raises:
        RequestRefused: If *requester* may not start it, or a resource is locked.
    """
    check_requester(plan.environment, requester)
    journal = open_journal(settings)
    run = fresh_run_id(CLOCK.now())
    created = RunCreated(
        playbook=plan.playbook,
        plan_digest=plan.digest,
        environment=plan.environment.environment,
        mode=Mode.LIVE,
        requester=requester,
        resources=plan.resources,
        reason=reason,
    )
    journal.take(plan.resources, run=run, holder=requester)
    try:
        folder_of(settings, run).freeze(plan, files)
        journal.append(run, after=0, events=[created])
    except (OSError, OrchestratorError):
        # Nobody could release the locks of a run that there is not.
        journal.release(run)
        raise
    return run


def spawn_driver(settings: Settings, run: RunId) -> None:
    """Start a process that drives *run* and outlives us; wait until it holds the run, or died."""
    folder = folder_of(settings, run)
    places = ["--state", str(settings.state), "--content", str(folder.content)]
    appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    driver = os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-m", "orchestrator", *places, "drive", run],
        {**os.environ, "RECOVER_TRACEBACK": "1"},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(folder.driver_log), appending, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    while not folder.has_driver() and os.waitpid(driver, os.WNOHANG) == (0, 0):
        CLOCK.pause(BETWEEN_GLANCES)


def recount(plan: Plan, entries: Sequence[Entry], folder: RunFolder) -> Report:
    """Tell a run from its journal and from what the canary saw."""
    measured = [e.event.measurement for e in entries if isinstance(e.event, Measured)]
    measurement = measurement_from(measured[-1]) if measured else None
    samples = chain(_kept(folder.standing_samples, STANDING), _kept(folder.samples, folder.run))
    return report_of(plan, entries, measurement=measurement, samples=samples)


def _kept(file: Path, canary: str) -> Iterable[Sample]:
    lines = file.read_bytes().splitlines() if file.exists() else []
    return read_samples(lines, canary)
