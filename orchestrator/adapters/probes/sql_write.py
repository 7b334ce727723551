"""Probe ``sql_write``: does a member take writes? A real write, taken back.

This is the proof of a fence, so that only a definite refusal counts as one: who is silent may
still take the writes of others, unless one of its fences is seen to be closed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from datetime import timedelta
from typing import TypeGuard

from psycopg import sql

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.fences.members import MemberFences
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
WELL_WITHIN_S = 0.05
"""A member that is well has answered by then, so that its fences need not be asked."""
SILENT_AFTER = timedelta(milliseconds=300)
"""Who has fences and says nothing for so long is asked again only if none of these is closed."""
FENCED_SILENT_AFTER = timedelta(milliseconds=100)
"""The same for one whose fence was closed before: nothing else is expected of it."""
SILENT = frozenset({TroubleKind.UNREACHABLE, TroubleKind.HUNG, TroubleKind.LOST})
AT_ONCE = 32


class SqlWriteProber:
    """Looks by trying to write."""

    def __init__(
        self,
        environment: Environment,
        sql_sessions: SqlSessions,
        ssh_sessions: SshSessions,
        fences: MemberFences,
        clock: Clock,
    ) -> None:
        self._environment = environment
        self._sql = sql_sessions
        self._ssh = ssh_sessions
        self._fences = fences
        self._clock = clock
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sql-write")

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Try one write, which leaves nothing behind."""
        inputs = parse(SqlWriteProbeInputs, probe.inputs)
        deadline = Deadline.after(within)
        return look_once(self._clock, lambda: self._look(inputs, deadline))

    def _look(self, inputs: SqlWriteProbeInputs, deadline: Deadline) -> Judgement:
        """Ask the fences of a member that does not answer at once, while the write goes on."""
        if not self._fences.guard(inputs.on):
            return _judge(inputs, self._write(inputs, deadline))
        if inputs.via:
            self._ssh.warm((inputs.via,), within=timedelta(seconds=deadline.left_s))
        is_known = self._fences.were_closed(inputs.on)
        silent_after = FENCED_SILENT_AFTER if is_known else SILENT_AFTER
        writing = self._pool.submit(self._write, inputs, deadline.or_sooner(silent_after))
        wait((writing,), timeout=0 if is_known else WELL_WITHIN_S)
        if writing.done() and not _is_silent(answer := writing.result()):
            return _judge(inputs, answer)
        asking = self._pool.submit(self._fences.find_closed, inputs.on, deadline=deadline)
        if not _is_silent(answer := writing.result()):
            return _judge(inputs, answer)
        if closed := asking.result():
            return _judge_fenced(inputs, answer, closed)
        return _judge(inputs, answer if deadline.is_over else self._write(inputs, deadline))

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
    place = _place(inputs)
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


def _judge_fenced(inputs: SqlWriteProbeInputs, silence: Trouble, closed: str) -> Judgement:
    """Judge a member that says nothing, and of which it was seen that it cannot take a write."""
    verdict = Verdict.PASSED if inputs.expect == "refused" else Verdict.FAILED
    return Judgement(verdict=verdict, summary=f"write{_place(inputs)} {silence.kind}; {closed}")


def _place(inputs: SqlWriteProbeInputs) -> str:
    return f" from {inputs.via}" if inputs.via else ""


def _is_silent(answer: Answer | Trouble) -> TypeGuard[Trouble]:
    """Return whether nothing was heard of the server itself, not even that it goes."""
    return isinstance(answer, Trouble) and answer.kind in SILENT and not answer.code


def _is_definite(trouble: Trouble) -> bool:
    """Return whether nobody's writes can be taken there now.

    A server that starts or shuts down turns us away as well, but may serve others.
    """
    is_standby = trouble.kind is TroubleKind.READ_ONLY or trouble.code == DURING_RECOVERY
    return is_standby or trouble.kind is TroubleKind.REFUSED
