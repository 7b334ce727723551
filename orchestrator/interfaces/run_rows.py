"""Runs in a list, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.bootstrap import runs
from orchestrator.domain.errors import JournalBroken, RequestRefused
from orchestrator.interfaces.columns import table
from orchestrator.interfaces.desk import RunDesk
from orchestrator.interfaces.marks import plain_mark
from orchestrator.settings import Settings

UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run in a list.

    Attributes:
        created: ISO 8601 UTC.
        state: ``open``, ``held``, ``ended``; ``orphaned`` if its driver died, ``unreadable`` if
            its journal cannot be read.
    """

    run: str
    playbook: str = ""
    environment: str = ""
    mode: str = ""
    requester: str = ""
    created: str = ""
    state: str = UNREADABLE
    verdict: str | None = None
    exit_code: int | None = None


def all_runs(settings: Settings) -> Iterator[RunRow]:
    """Yield every run, the newest first; one that cannot be read does not hide the others."""
    for run in runs.open_journal(settings).runs():
        try:
            yield _row_of(RunDesk(settings, run))
        except (JournalBroken, RequestRefused):
            yield RunRow(run=run)


def _row_of(desk: RunDesk) -> RunRow:
    state, created = desk.state(), desk.created
    word = state.ended or state.held
    standing = "ended" if state.ended else ("held" if state.held else "open")
    return RunRow(
        run=desk.run,
        playbook=created.playbook,
        environment=created.environment,
        mode=created.mode,
        requester=created.requester,
        created=state.created_at.isoformat() if state.created_at else "",
        state=standing if word or desk.is_driven() else "orphaned",
        verdict=state.ended.verdict if state.ended else None,
        exit_code=int(state.ended.exit_code) if state.ended else None,
    )


def runs_as_table(rows: Sequence[RunRow]) -> Iterator[str]:
    """Yield the lines of a table of runs, with local times."""
    heads = ("RUN", "STARTED", "PLAYBOOK", "WHERE", "BY", "STATE")
    yield from table(heads, [_cells(row) for row in rows])


def _cells(row: RunRow) -> tuple[str, ...]:
    started = _local(row.created)
    return (row.run, started, row.playbook, row.environment, row.requester, _standing(row))


def _local(created: str) -> str:
    return f"{datetime.fromisoformat(created).astimezone():%d %b %H:%M}" if created else ""


def _standing(row: RunRow) -> str:
    """Return the verdict of a run that has ended, else what it waits for."""
    return f"{plain_mark(row.verdict)} {row.verdict}" if row.verdict else row.state
