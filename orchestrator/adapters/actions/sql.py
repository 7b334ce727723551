"""Action ``sql``: statements on members of a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

from pydantic import with_config

from orchestrator.adapters.actions.outcomes import report_trouble
from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.sql_statements import Bindable, Login, Row, show_row
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.playbook import Action
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport, Attempt

if TYPE_CHECKING:
    from orchestrator.adapters.sql_sessions import SqlSessions


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SqlActionInputs:
    """Statements, each in a transaction of its own.

    Attributes:
        on: A member as ``service/host``, or several, which are taken one after the other.
        query: One statement, or several. Without values it is sent as it is: a pooler's console
            takes nothing else.
        values: Bound as ``%(name)s``; a literal percent sign is then written twice.
        database: Another than the service's own.
        account: Which of the service's accounts.
    """

    on: str | tuple[str, ...]
    query: str | tuple[str, ...]
    values: Mapping[str, Bindable] = field(default_factory=dict)
    database: str = ""
    account: str = "operator"

    @property
    def logins(self) -> tuple[Login, ...]:
        """Who to be on each member, in order."""
        members = (self.on,) if isinstance(self.on, str) else self.on
        return tuple(
            Login(member=member, account=self.account, database=self.database)
            for member in members
        )

    @property
    def statements(self) -> tuple[str, ...]:
        """Every statement, in order."""
        return (self.query,) if isinstance(self.query, str) else self.query


class SqlActor:
    """Executes statements."""

    def __init__(self, sessions: SqlSessions) -> None:
        self._sessions = sessions

    def perform(self, action: Action, _attempt: Attempt, *, within: timedelta) -> ActionReport:
        """Execute each statement once on each member, and stop at the first that fails.

        A lost answer is ``UNKNOWN``. No members at all is done: there was nothing to do.

        Raises:
            TargetUnavailable: If nothing was sent at all.
        """
        inputs = parse(SqlActionInputs, action.inputs)
        deadline = Deadline.after(within)
        done: list[str] = []
        rows: list[Row] = []
        for login, statement in product(inputs.logins, inputs.statements):
            answer = self._sessions.execute(login, statement, inputs.values, deadline=deadline)
            if isinstance(answer, Trouble):
                return _stopped(answer, done)
            done.append(f"{login.member}: {answer.status}")
            rows.extend(answer.rows)
        return ActionReport(
            outcome=Outcome.DONE,
            detail="; ".join(done) or "there is no member to do it on",
            output="\n".join(map(show_row, rows)),
        )


def _stopped(trouble: Trouble, done: Sequence[str]) -> ActionReport:
    if not done:
        return report_trouble(trouble)
    # Something was sent before, so that the whole cannot count as not tried.
    report = report_trouble(replace(trouble, was_sent=True))
    outcome = report.outcome if trouble.was_sent else Outcome.FAILED
    return replace(report, outcome=outcome, detail=f"{report.detail} (after {'; '.join(done)})")
