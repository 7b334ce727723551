"""Counting the canary's markers in the database, at the source."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.sql_statements import Login
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.environment import Environment
from orchestrator.domain.errors import EvidenceIncomplete
from orchestrator.domain.observation import Found
from orchestrator.domain.run import RunId
from orchestrator.engine.ports import FactFinder

COUNT_LIMIT = timedelta(seconds=60)


def count_markers(
    environment: Environment, run: RunId, finder: FactFinder, sql: SqlSessions
) -> Found:
    """Look up how often each marker of *run* is in the one member that takes writes.

    Directly, not through the entry that the canary uses.

    Raises:
        EvidenceIncomplete: If there is not exactly one such member, or it does not answer.
    """
    watch = environment.watch
    roles = finder.roles(environment.services[watch.service])
    if not roles.primary:
        raise EvidenceIncomplete(f"{watch.service} has not exactly one primary")
    answer = sql.look(
        Login(member=f"{watch.service}/{roles.primary}", account="reader", is_read_only=True),
        # The table's name is the environment's, checked when it was loaded.
        f"select seq, count(*) as times from {watch.table} "  # noqa: S608
        "where run = %(run)s group by seq",
        {"run": run},
        deadline=Deadline.after(COUNT_LIMIT),
    )
    if isinstance(answer, Trouble):
        raise EvidenceIncomplete(str(answer))
    return {int(str(row["seq"])): int(str(row["times"])) for row in answer.rows}
