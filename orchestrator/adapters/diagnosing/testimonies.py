"""What standbys of PostgreSQL say of their primary."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.diagnosing.limits import CLIENT_LIMIT
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.sql_statements import Login, Row
from orchestrator.adapters.targets import Member
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.diagnosis import Testimony, Witness
from orchestrator.domain.environment import Environment

# No row: there is no receiver, or it is not connected. Without pg_monitor all columns but the pid
# are null. The state says "streaming" for a primary that hangs, too, so that it is not asked for.
_HEARD = """
    select pg_is_in_recovery() as is_standby,
      case when pg_is_in_recovery() then pg_is_wal_replay_paused() end as is_paused,
      pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::bigint as received_bytes,
      receiver.pid is not null and receiver.status is null as is_hidden,
      receiver.sender_host, receiver.sender_port,
      extract(epoch from clock_timestamp() - receiver.last_msg_receipt_time)::float as heard_s
    from (select) as one left join pg_stat_wal_receiver as receiver on true
"""


class Witnesses:
    """Asks standbys of one primary."""

    def __init__(self, environment: Environment, sessions: SqlSessions, primary: Member) -> None:
        self._sessions = sessions
        self._primary = primary
        service = primary.service
        # The primary first: members that share an address are told apart by their ports.
        names = (primary.host.name, *service.members)
        self._members = [Member(service=service, host=environment.hosts[name]) for name in names]

    def ask(self, standby: str) -> Testimony:
        """Ask *standby* when it last heard the primary."""
        login = Login(member=standby, account="reader", is_read_only=True)
        answer = self._sessions.look(login, _HEARD, deadline=Deadline.after(CLIENT_LIMIT))
        if isinstance(answer, Trouble):
            return _unheard(standby, str(answer))
        [row] = answer.rows
        if not row["is_standby"]:
            detail = "is no standby: it takes writes"
            return Testimony(standby=standby, witness=Witness.WRITABLE, detail=detail)
        if row["is_hidden"]:
            return _unheard(standby, "may not tell: grant pg_monitor to the reader")
        return self._testimony(standby, row)

    def _testimony(self, standby: str, row: Row) -> Testimony:
        sender = next((m for m in self._members if _is_sender(m, row)), self._primary)
        another = sender if sender.name != self._primary.name else None
        heard_s = None if another else row["heard_s"]
        heard_ago = timedelta(seconds=float(str(heard_s))) if heard_s is not None else None
        return Testimony(
            standby=standby,
            witness=Witness.STANDBY,
            detail=_words(another, heard_ago, is_paused=bool(row["is_paused"])),
            heard_ago=heard_ago,
            received_bytes=_whole(row["received_bytes"]),
        )


def _unheard(standby: str, detail: str) -> Testimony:
    return Testimony(standby=standby, witness=Witness.UNHEARD, detail=detail)


def _is_sender(member: Member, row: Row) -> bool:
    host = member.host
    names = {host.name, host.address, host.reached_at}
    return row["sender_host"] in names and row["sender_port"] == member.port


def _words(another: Member | None, heard_ago: timedelta | None, *, is_paused: bool) -> str:
    paused = "; its replay is paused" if is_paused else ""
    if another:
        return f"follows {another.host.name} instead{paused}"
    if heard_ago is None:
        return f"receives nothing{paused}"
    return f"heard it {heard_ago.total_seconds():.1f} s ago{paused}"


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))
