"""Which member of a PostgreSQL service is what: the facts that a plan is bound to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.sql_sessions import Answer, Login, Row, SqlSessions
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.environment import Environment, Service
from orchestrator.domain.plan import Roles

LOOK_LIMIT = timedelta(seconds=3)
LONGEST_SILENCE_S = 10
"""A standby that has heard nothing for longer is not fit, whatever its state says."""

_MEMBER = """
select pg_is_in_recovery() as standby,
  coalesce((select extract(epoch from now() - last_msg_receipt_time)
            from pg_stat_wal_receiver), 1e9)::float as silent_s,
  case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end as paused,
  (select setting::bigint from pg_settings where name = 'recovery_min_apply_delay') as delay_ms
"""
_STREAMS = "select application_name as name, state, sync_state from pg_stat_replication"
_SYNCHRONOUS = frozenset({"sync", "quorum"})


class PostgresqlFacts:
    """Satisfies the port ``FactFinder``. The same roles are told in the same words each time."""

    def __init__(self, environment: Environment, sql: SqlSessions) -> None:
        self._environment = environment
        self._sql = sql

    def roles(self, service: Service) -> Roles:
        """Look at each member; the standbys that are fit come with the best first."""
        with ThreadPoolExecutor(len(service.members)) as pool:
            answers = pool.map(lambda host: self._look(service, host, _MEMBER), service.members)
            looks = {str(h): look for h, look in zip(service.members, answers, strict=True)}
        primaries = [host for host, look in looks.items() if _is_primary(look)]
        if len(primaries) != 1:
            return Roles(primary="", standbys=(), reasons=_tell_each(looks))
        primary = primaries[0]
        streams = self._streams(service, primary)
        reasons = {
            host: _why_unfit(look, streams.get(host))
            for host, look in looks.items()
            if host != primary
        }
        return Roles(
            primary=primary,
            standbys=self._ranked(
                service, primary, streams, (host for host, why in reasons.items() if not why)
            ),
            reasons={host: why for host, why in reasons.items() if why},
        )

    def _ranked(
        self, service: Service, primary: str, streams: Mapping[str, Row], fit: Iterable[str]
    ) -> tuple[str, ...]:
        """Synchronous ones first, then those of the primary's site, then as the service says."""
        site_of = {name: host.site for name, host in self._environment.hosts.items()}
        order = {str(host): index for index, host in enumerate(service.members)}
        sites = {str(name): site for name, site in site_of.items()}

        def rank(host: str) -> tuple[bool, bool, int]:
            is_synchronous = streams[host]["sync_state"] in _SYNCHRONOUS
            return (not is_synchronous, sites[host] != sites[primary], order[host])

        return tuple(sorted(fit, key=rank))

    def _streams(self, service: Service, primary: str) -> Mapping[str, Row]:
        answer = self._look(service, primary, _STREAMS)
        rows = answer.rows if isinstance(answer, Answer) else ()
        return {str(row["name"]): row for row in rows}

    def _look(self, service: Service, host: str, query: str) -> Answer | Trouble:
        login = Login(member=f"{service.name}/{host}", account="reader", is_read_only=True)
        return self._sql.look(login, query, deadline=Deadline.after(LOOK_LIMIT))


def _is_primary(look: Answer | Trouble) -> bool:
    return isinstance(look, Answer) and look.rows[0]["standby"] is False


def _tell_each(looks: Mapping[str, Answer | Trouble]) -> Mapping[str, str]:
    return {
        host: f"does not answer ({look.kind})"
        if isinstance(look, Trouble)
        else ("takes writes" if _is_primary(look) else "is a standby")
        for host, look in looks.items()
    }


def _why_unfit(look: Answer | Trouble, stream: Row | None) -> str:
    """Return why a standby may not take over, without figures that change; empty if it may."""
    if isinstance(look, Trouble):
        return f"does not answer ({look.kind})"
    row = look.rows[0]
    if stream is None or stream["state"] != "streaming":
        return "does not stream from the primary"
    if float(str(row["silent_s"])) > LONGEST_SILENCE_S:
        return "has not heard of the primary lately"
    if row["paused"]:
        return "its replay is paused"
    if row["delay_ms"]:
        return "its replay is delayed on purpose"
    return ""
