"""Probe ``sql``: a query on members of a service, and what its rows must be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.inputs import parse
from orchestrator.adapters.probes.judgement import Judgement, look_once
from orchestrator.adapters.probes.sql_inputs import SqlProbeInputs
from orchestrator.adapters.probes.sql_judging import MemberLook, judge
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.sql_statements import Login
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Probe
from orchestrator.engine.ports import Clock

__all__ = ["SqlProbeInputs", "SqlProber"]

MEMBERS_AT_ONCE = 16


class SqlProber:
    """Looks with queries."""

    def __init__(self, sessions: SqlSessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._pool = ThreadPoolExecutor(MEMBERS_AT_ONCE, thread_name_prefix="sql-probe")

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Query each member once; one that does not answer makes it inconclusive."""
        inputs = parse(SqlProbeInputs, probe.inputs)
        deadline = Deadline.after(within)
        return look_once(self._clock, lambda: self._look(inputs, deadline))

    def _look(self, inputs: SqlProbeInputs, deadline: Deadline) -> Judgement:
        def ask(member: str) -> MemberLook:
            login = Login(
                member=member,
                account=inputs.account,
                database=inputs.database,
                is_read_only=True,
            )
            answer = self._sessions.look(login, inputs.query, inputs.values, deadline=deadline)
            return MemberLook(member=member, answer=answer)

        one_by_one = len(inputs.members) == 1
        looks = (map if one_by_one else self._pool.map)(ask, inputs.members)
        return judge(inputs, tuple(looks))
