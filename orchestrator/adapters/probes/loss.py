"""Probe ``loss``: which acknowledged writes would be lost if this member took over?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from pydantic import with_config

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.marker_count import look_up, ranges_of
from orchestrator.adapters.sql_statements import Login
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.errors import EvidenceIncomplete, TargetUnavailable
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.observation import MarkerWrite
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Canary, Clock

if TYPE_CHECKING:
    from orchestrator.adapters.sql_sessions import SqlSessions

BETWEEN_LOOKS = timedelta(milliseconds=20)
TIME_TO_LOOK_S = 0.2
CAUGHT_UP = """
    select not pg_is_in_recovery() or pg_last_wal_receive_lsn() is null
      or pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn() as caught_up
"""


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class LossInputs:
    """What is expected of the member that may take over.

    Attributes:
        on: The member, ``service/host``.
        at_most: So many acknowledged markers may be missing there.
        account: Who looks.
    """

    on: str
    at_most: int = 0
    account: str = "reader"


class LossProber:
    """Satisfies the port ``Prober``: what clients were told is safe, against what is there.

    Args:
        canary: Tells which writes were acknowledged, by this run's canary and by a standing watch.
        table: Holds the markers.
    """

    def __init__(self, canary: Canary, table: str, sql: SqlSessions, clock: Clock) -> None:
        self._canary = canary
        self._table = table
        self._sql = sql
        self._clock = clock

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Look once, when the member has replayed what it received; else it is inconclusive."""
        wanted = parse(LossInputs, probe.inputs)
        at = self._clock.now()
        try:
            verdict, summary = self._look(wanted, Deadline.after(within))
        except (TargetUnavailable, EvidenceIncomplete) as error:
            verdict, summary = Verdict.INCONCLUSIVE, str(error)
        return Evidence(verdict=verdict, summary=summary, at=at)

    def _look(self, wanted: LossInputs, deadline: Deadline) -> tuple[Verdict, str]:
        samples = self._canary.samples()
        known = [s for s in samples if isinstance(s, MarkerWrite) and s.is_acknowledged]
        if not known:
            return Verdict.INCONCLUSIVE, "nobody was watching before the fault"
        login = Login(member=wanted.on, account=wanted.account, is_read_only=True)
        self._await_replay(login, deadline)
        ranges = ranges_of(marker.name for marker in known)
        there = look_up(self._sql, login, self._table, ranges, deadline)
        lacking = [marker for marker in known if marker.name not in there]
        verdict = Verdict.PASSED if len(lacking) <= wanted.at_most else Verdict.FAILED
        return verdict, _in_words(wanted.on, lacking, len(known))

    def _await_replay(self, login: Login, deadline: Deadline) -> None:
        """Wait until the member has replayed what it received: more it will not have."""
        while not self._has_replayed(login, deadline):
            if deadline.left_s < TIME_TO_LOOK_S:
                raise EvidenceIncomplete(f"{login.member} has not replayed what it received")
            self._clock.pause(BETWEEN_LOOKS)

    def _has_replayed(self, login: Login, deadline: Deadline) -> bool:
        answer = self._sql.look(login, CAUGHT_UP, deadline=deadline)
        if isinstance(answer, Trouble):
            raise EvidenceIncomplete(str(answer))
        return bool(answer.rows[0]["caught_up"])


def _in_words(member: str, lacking: Sequence[MarkerWrite], acknowledged: int) -> str:
    host = member.rpartition("/")[2]
    if not lacking:
        return f"all {acknowledged:,} acknowledged writes are on {host}"
    oldest, newest = (of(lacking, key=lambda marker: marker.done) for of in (min, max))
    at = newest.done.astimezone(UTC)
    return (
        f"{len(lacking):,} of {acknowledged:,} acknowledged writes are not on {host}, "
        f"numbers {oldest.seq} to {newest.seq}; the newest it lacks was acknowledged at "
        f"{at:%H:%M:%S}.{at.microsecond // 100_000} UTC by the client's clock"
    )
