"""Action ``sql``: statements on members of a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import with_config

from orchestrator.adapters.actions.outcomes import report_trouble
from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.sql_sessions import Answer, Bindable, Login, SqlSessions, show_row
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.playbook import Action
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport, Attempt


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SqlActionInputs:
    """Statements, sent as they are: a pooler's console takes nothing else.

    Attributes:
        on: A member, as ``service/host``, or several, one after the other.
        query: The statement, or several, each in a transaction of its own.
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
        """Who to be on each member."""
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
    """Executes statements, each in a transaction of its own."""

    def __init__(self, sessions: SqlSessions) -> None:
        self._sessions = sessions

    def perform(self, action: Action, attempt: Attempt, *, within: timedelta) -> ActionReport:
        """Execute each statement once on each member; the first trouble ends it.

        A lost answer is ``UNKNOWN``.

        Raises:
            TargetUnavailable: If nothing was sent.
        """
        del attempt
        inputs = parse(SqlActionInputs, action.inputs)
        deadline = Deadline.after(within)
        answers: list[Answer] = []
        for login in inputs.logins:
            for statement in inputs.statements:
                values = inputs.values or None
                answer = self._sessions.execute(login, statement, values, deadline=deadline)
                if isinstance(answer, Trouble):
                    return report_trouble(answer)
                answers.append(answer)
        return _report(answers)


def _report(answers: Sequence[Answer]) -> ActionReport:
    output = "\n".join(show_row(row) for answer in answers for row in answer.rows)
    detail = "; ".join(answer.status or "done" for answer in answers) or "no member to act on"
    return ActionReport(outcome=Outcome.DONE, detail=detail, output=output)
