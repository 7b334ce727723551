"""Probe ``runs``: was this resource recovered lately?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import with_config

from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Probe
from orchestrator.domain.run import Entry, RunCreated, RunId, StepIntended
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Clock


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class RunsInputs:
    """Which earlier runs would be too soon.

    Attributes:
        resource: The service, link or site that a run must have locked to count.
        none_within: No such run may have begun a step within this time.
    """

    resource: str
    none_within: timedelta


class RunsProber:
    """Satisfies the port ``Prober`` by reading the journal of every other run."""

    def __init__(self, journal: SqliteJournal, clock: Clock, run: RunId) -> None:
        self._journal = journal
        self._clock = clock
        self._run = run

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Look once. Runs that changed nothing do not count."""
        del within
        wanted = parse(RunsInputs, probe.inputs)
        now = self._clock.now()
        for run in self._journal.runs():
            begun = _first_step(self._journal.read(run), wanted.resource)
            if run != self._run and begun and now - begun < wanted.none_within:
                summary = f"run {run} began to change {wanted.resource} at {begun:%H:%M:%S} UTC"
                return Evidence(verdict=Verdict.FAILED, summary=summary, at=now)
        summary = f"no run changed {wanted.resource} within {wanted.none_within}"
        return Evidence(verdict=Verdict.PASSED, summary=summary, at=now)


def _first_step(entries: Sequence[Entry], resource: str) -> datetime | None:
    """Return when a run of *resource* intended its first step."""
    created = entries[0].event if entries else None
    if not isinstance(created, RunCreated) or resource not in created.resources:
        return None
    return next((e.at for e in entries if isinstance(e.event, StepIntended)), None)
