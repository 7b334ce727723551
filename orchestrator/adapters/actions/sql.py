"""Action ``sql``: one statement on one member of a service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pydantic import with_config

from orchestrator.adapters.actions.outcomes import report_trouble
from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.sql_sessions import Answer, Login, SqlSessions, show_row
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.playbook import Action
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport, Attempt


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SqlActionInputs:
    """One statement, sent as it is: a pooler's console takes nothing else.

    Attributes:
        on: A member, as ``service/host``.
        query: The statement.
        database: Another than the service's own.
        account: Which of the service's accounts.
    """

    on: str
    query: str
    database: str = ""
    account: str = "operator"


class SqlActor:
    """Executes statements, each in a transaction of its own."""

    def __init__(self, sessions: SqlSessions) -> None:
        self._sessions = sessions

    def perform(self, action: Action, _attempt: Attempt, *, within: timedelta) -> ActionReport:
        """Execute the statement once; a lost answer is ``UNKNOWN``.

        Raises:
            TargetUnavailable: If it was not sent.
        """
        inputs = parse(SqlActionInputs, action.inputs)
        login = Login(member=inputs.on, account=inputs.account, database=inputs.database)
        answer = self._sessions.execute(login, inputs.query, deadline=Deadline.after(within))
        return report_trouble(answer) if isinstance(answer, Trouble) else _report(answer)


def _report(answer: Answer) -> ActionReport:
    output = "\n".join(show_row(row) for row in answer.rows)
    return ActionReport(outcome=Outcome.DONE, detail=answer.status or "done", output=output)
