"""Asks the members of a PostgreSQL service which of them is, or was, what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.hearing_postgresql import Hearing
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.sql_statements import Login
from orchestrator.adapters.standing_postgresql import STANDING, Standing, read_standing
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.environment import Environment, HostName, Service
from orchestrator.domain.plan import Roles

LOOK_LIMIT = timedelta(seconds=3)
"""For all members together, whatever became of some: an engineer waits for it."""


class PostgresqlFacts:
    """Finds roles by asking every member. What it says is digested, so it holds no measures."""

    def __init__(
        self, environment: Environment, sessions: SqlSessions, *, within: timedelta = LOOK_LIMIT
    ) -> None:
        self._environment = environment
        self._sessions = sessions
        self._within = within

    def roles(self, service: Service) -> Roles:
        """Ask each member side by side; one that does not answer in time counts as silent."""
        deadline = Deadline.after(self._within)
        with ThreadPoolExecutor(max_workers=len(service.members) or 1) as pool:
            answers = pool.map(lambda name: self._ask(service, name, deadline), service.members)
            seen = dict(zip(service.members, answers, strict=True))
        hosts = {name: self._environment.hosts[name] for name in service.members}
        return Hearing(port=service.port, hosts=hosts, seen=seen).roles

    def _ask(self, service: Service, name: HostName, deadline: Deadline) -> Standing | Trouble:
        login = Login(member=f"{service.name}/{name}", account="reader", is_read_only=True)
        answer = self._sessions.look(login, STANDING, deadline=deadline)
        return answer if isinstance(answer, Trouble) else read_standing(answer.rows[0])
