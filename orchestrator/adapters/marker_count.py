"""Counting canaries' markers in the database, at the source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.sql_statements import Login
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.environment import Environment
from orchestrator.domain.errors import EvidenceIncomplete
from orchestrator.domain.observation import Found, MarkerId, MarkerWrite, Sample
from orchestrator.domain.run import RunId
from orchestrator.engine.ports import FactFinder

if TYPE_CHECKING:
    from orchestrator.adapters.sql_sessions import SqlSessions

COUNT_LIMIT = timedelta(seconds=60)
FIRST, LAST = 0, 2**63 - 1
Range = tuple[str, int, int]
"""The markers of a canary from one number to another."""


def count_markers(
    environment: Environment,
    run: RunId,
    finder: FactFinder,
    sql: SqlSessions,
    samples: Sequence[Sample],
) -> Found:
    """Look up how often each marker is in the one member that takes writes.

    Directly, not through the entry that canaries use. Of *run* every marker is looked for; of
    another canary those that its *samples* tell of, for it goes on.

    Raises:
        EvidenceIncomplete: If there is not exactly one such member, or it does not answer.
    """
    watch = environment.watch
    roles = finder.roles(environment.services[watch.service])
    if not roles.primary:
        raise EvidenceIncomplete(f"{watch.service} has not exactly one primary")
    names = [marker.name for marker in samples if isinstance(marker, MarkerWrite)]
    others = [name for name in names if name.canary != run]
    return look_up(
        sql,
        Login(member=f"{watch.service}/{roles.primary}", account="reader", is_read_only=True),
        watch.table,
        [(run, FIRST, LAST), *ranges_of(others)],
        Deadline.after(COUNT_LIMIT),
    )


def look_up(
    sql: SqlSessions, login: Login, table: str, ranges: Sequence[Range], deadline: Deadline
) -> Found:
    """Return how often each marker of *ranges* is in the member that *login* names.

    Raises:
        EvidenceIncomplete: If it does not answer.
    """
    canaries, first, last = (list(column) for column in zip(*ranges, strict=True))
    answer = sql.look(
        login,
        # The table's name is the environment's, checked when it was loaded.
        f"select run, seq, count(*) as times from {table} join "  # noqa: S608
        "unnest(%(canaries)s::text[], %(first)s::bigint[], %(last)s::bigint[])"
        " as wanted (canary, first, last)"
        " on run = canary and seq between first and last group by run, seq",
        {"canaries": canaries, "first": first, "last": last},
        deadline=deadline,
    )
    if isinstance(answer, Trouble):
        raise EvidenceIncomplete(str(answer))
    return {
        MarkerId(str(row["run"]), int(str(row["seq"]))): int(str(row["times"]))
        for row in answer.rows
    }


def ranges_of(names: Iterable[MarkerId]) -> Sequence[Range]:
    """Return, for each canary, from its least number to its greatest."""
    ranges: dict[str, Range] = {}
    for canary, seq in ((name.canary, name.seq) for name in names):
        _, first, last = ranges.get(canary, (canary, seq, seq))
        ranges[canary] = (canary, min(first, seq), max(last, seq))
    return tuple(ranges.values())
