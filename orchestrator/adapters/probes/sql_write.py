"""Probe ``sql_write``: does a member take writes? A real write, taken back.

This is the proof of a fence, so that only a definite refusal counts as one: who is silent may
still take the writes of others.
"""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

from psycopg import sql

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.inputs import parse
from orchestrator.adapters.probes.judgement import Judgement, inconclusive, look_once
from orchestrator.adapters.probes.sql_inputs import SqlWriteProbeInputs
from orchestrator.adapters.sql_connecting import sql_errors
from orchestrator.adapters.sql_sessions import SqlSessions, execute
from orchestrator.adapters.sql_statements import Answer, Login
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.ssh_tunnel import socket_for
from orchestrator.adapters.targets import member_of
from orchestrator.adapters.trouble import Trouble, Troubled, TroubleKind
from orchestrator.domain.environment import Environment
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Clock

DURING_RECOVERY = "0A000"
"""SQLSTATE of ``begin read write`` on a standby.
Source: PostgreSQL's check_transaction_read_only; test_sql_write shows it."""


class SqlWriteProber:
    """Looks by trying to write."""

    def __init__(
        self,
        environment: Environment,
        sql_sessions: SqlSessions,
        ssh_sessions: SshSessions,
        clock: Clock,
    ) -> None:
        self._environment = environment
        self._sql = sql_sessions
        self._ssh = ssh_sessions
        self._clock = clock

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Try one write, which leaves nothing behind."""
        inputs = parse(SqlWriteProbeInputs, probe.inputs)
        deadline = Deadline.after(within)
        return look_once(self._clock, lambda: _judge(inputs, self._write(inputs, deadline)))

    def _write(self, inputs: SqlWriteProbeInputs, deadline: Deadline) -> Answer | Trouble:
        login = Login(member=inputs.on, account=inputs.account, database=inputs.database)
        statement = _write_statement(inputs.table)
        if not inputs.via:
            return self._sql.look(login, statement, deadline=deadline)
        try:
            return self._write_via(inputs.via, login, statement, deadline)
        except Troubled as error:
            return error.trouble

    def _write_via(self, via: str, login: Login, statement: str, deadline: Deadline) -> Answer:
        member = member_of(self._environment, login.member)
        with (
            self._ssh.channel_to(
                via, member.host.address, member.port, deadline=deadline
            ) as channel,
            socket_for(channel) as at,
            closing(self._sql.open(login, deadline=deadline, at=at)) as connection,
            sql_errors(member.name, deadline),
        ):
            return execute(connection, statement)


def _write_statement(table: str) -> str:
    # `read write` overrides default_transaction_read_only, which everybody can: it is no fence.
    insert = sql.SQL("insert into {} (run, seq) values ('a look', 0)")
    target = sql.Identifier(*table.split("."))
    return f"begin read write; {insert.format(target).as_string()}; rollback"


def _judge(inputs: SqlWriteProbeInputs, answer: Answer | Trouble) -> Judgement:
    place = f" from {inputs.via}" if inputs.via else ""
    wants_refusal = inputs.expect == "refused"
    match answer:
        case Answer():
            verdict = Verdict.FAILED if wants_refusal else Verdict.PASSED
            return Judgement(verdict=verdict, summary=f"{inputs.on} took a write{place}")
        case Trouble() if _is_definite(answer):
            verdict = Verdict.PASSED if wants_refusal else Verdict.FAILED
            return Judgement(verdict=verdict, summary=f"write{place} {answer}")
        case Trouble():
            return inconclusive(answer)


def _is_definite(trouble: Trouble) -> bool:
    """Return whether nobody's writes can be taken there now.

    A server that starts or shuts down turns us away as well, but may serve others.
    """
    is_standby = trouble.kind is TroubleKind.READ_ONLY or trouble.code == DURING_RECOVERY
    return is_standby or trouble.kind is TroubleKind.REFUSED
