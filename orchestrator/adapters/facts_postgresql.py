"""Who is primary of a PostgreSQL service, and which standbys are fit to take over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.sql_statements import Answer, Login, Row
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.environment import Environment, HostName, Service
from orchestrator.domain.plan import Roles

LOOK_LIMIT = timedelta(seconds=5)
SYNCHRONOUS = ("sync", "quorum")

# An idle primary says nothing for up to half of wal_receiver_timeout (in milliseconds).
STANDING = """
    select pg_is_in_recovery() as is_standby,
      case when pg_is_in_recovery() then pg_is_wal_replay_paused() end as is_paused,
      (select setting::bigint from pg_settings
       where name = 'recovery_min_apply_delay') as delay_ms,
      (select last_msg_receipt_time > now() - make_interval(secs => 10 + setting::float / 2000)
       from pg_stat_wal_receiver, pg_settings
       where name = 'wal_receiver_timeout' and status = 'streaming') as hears_primary
"""
FOLLOWERS = """
    select application_name, host(client_addr) as address, sync_state
    from pg_stat_replication where state = 'streaming'
"""


class PostgresqlFacts:
    """Finds roles by asking every member. What it says is digested, so it holds no measures."""

    def __init__(self, environment: Environment, sessions: SqlSessions) -> None:
        self._environment = environment
        self._sessions = sessions

    def roles(self, service: Service) -> Roles:
        """Ask each member side by side; one that does not answer has no role."""
        with ThreadPoolExecutor(max_workers=len(service.members) or 1) as pool:
            answers = pool.map(lambda host: self._ask(service, host, STANDING), service.members)
            standings = dict(zip(service.members, answers, strict=True))
        primaries = [host for host, seen in standings.items() if _is_primary(seen)]
        if len(primaries) != 1:
            return Roles(primary="", standbys=(), reasons=_without_primary(standings))
        return self._roles_below(service, primaries[0], standings)

    def _roles_below(
        self,
        service: Service,
        primary: HostName,
        standings: Mapping[HostName, Answer | Trouble],
    ) -> Roles:
        followers = self._ask(service, primary, FOLLOWERS)
        rows = followers.rows if isinstance(followers, Answer) else ()
        sync_states = {host: self._sync_state(host, rows) for host in service.members}
        reasons: dict[str, str] = {
            host: reason
            for host, seen in standings.items()
            if host != primary and (reason := _unfit(seen, sync_states[host], primary))
        }
        fit = [host for host in service.members if host != primary and host not in reasons]
        return Roles(
            primary=primary,
            standbys=tuple(self._best_first(fit, primary, sync_states)),
            reasons=reasons,
        )

    def _ask(self, service: Service, host: HostName, query: str) -> Answer | Trouble:
        login = Login(member=f"{service.name}/{host}", account="reader", is_read_only=True)
        return self._sessions.look(login, query, deadline=Deadline.after(LOOK_LIMIT))

    def _sync_state(self, name: HostName, followers: Sequence[Row]) -> str:
        """Return how *name* follows the primary; empty if it does not stream from it."""
        host = self._environment.hosts[name]
        marks = {("application_name", name), ("address", host.address)}
        states = (str(row["sync_state"]) for row in followers if marks & set(row.items()))
        return next(states, "")

    def _best_first(
        self, fit: Iterable[HostName], primary: HostName, sync_states: Mapping[HostName, str]
    ) -> list[HostName]:
        """Sort: what lacks nothing first, then the primary's own site, then as written."""
        hosts = self._environment.hosts
        site = hosts[primary].site
        return sorted(
            fit, key=lambda host: (sync_states[host] not in SYNCHRONOUS, hosts[host].site != site)
        )


def _is_primary(seen: Answer | Trouble) -> bool:
    return isinstance(seen, Answer) and seen.rows[0]["is_standby"] is False


def _without_primary(standings: Mapping[HostName, Answer | Trouble]) -> Mapping[str, str]:
    return {host: _words_for(seen) for host, seen in standings.items()}


def _words_for(seen: Answer | Trouble) -> str:
    if isinstance(seen, Trouble):
        return f"does not answer ({seen.kind})"
    return "takes writes" if _is_primary(seen) else "is a standby"


def _unfit(seen: Answer | Trouble, sync_state: str, primary: HostName) -> str:
    """Return why a member cannot take over; empty if it can."""
    if isinstance(seen, Trouble):
        return _words_for(seen)
    standing = seen.rows[0]
    if not sync_state:
        return f"does not stream from {primary}"
    if not standing["hears_primary"]:
        return f"has not heard of {primary} lately"
    if standing["is_paused"]:
        return "its replay is paused"
    return "it replays with a delay" if standing["delay_ms"] else ""
