"""What one member of a PostgreSQL service says of itself, asked in one query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import cast

from psycopg.conninfo import conninfo_to_dict

from orchestrator.adapters.sql_statements import Row

DEFAULT_PORT = "5432"

# An idle primary says nothing for up to half of wal_receiver_timeout (in milliseconds).
# The timeline is that of the newest WAL file: a receiver's row goes with its primary, and the
# control file tells the new timeline only from the next restartpoint on.
STANDING = """
    select pg_is_in_recovery() as is_standby,
      coalesce(case when pg_is_in_recovery() then pg_is_wal_replay_paused() end, false)
        as is_paused,
      (select setting::bigint > 0 from pg_settings
       where name = 'recovery_min_apply_delay') as is_delayed,
      coalesce((select last_msg_receipt_time
           > now() - make_interval(secs => 10 + setting::float / 2000)
         from pg_stat_wal_receiver, pg_settings
         where name = 'wal_receiver_timeout' and status = 'streaming'), false) as hears_primary,
      (select format('host=''%s'' port=%s', sender_host, sender_port)
       from pg_stat_wal_receiver where sender_host is not null) as sender,
      case when pg_is_in_recovery() then current_setting('primary_conninfo') end as conninfo,
      (select max(left(name, 8)) from pg_ls_waldir()
       where name ~ '^[0-9A-F]{24}$') as timeline,
      greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0' as received_bytes,
      (select coalesce(json_agg(json_build_object('name', application_name,
           'address', host(client_addr), 'sync_state', sync_state)), '[]')
       from pg_stat_replication where state = 'streaming') as followers
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A standby that streams, as the one it streams from knows it."""

    name: str
    address: str | None
    sync_state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one member says of itself.

    Attributes:
        is_standby: True if it is in recovery: it takes no writes.
        hears_primary: True if the one it streams from has spoken lately.
        upstreams: Addresses and ports that it streams from, or would: several if it may choose.
        position: Timeline and bytes of the WAL that it has; of two standbys the higher knows more.
        followers: Who streams from it.
    """

    is_standby: bool
    is_paused: bool
    is_delayed: bool
    hears_primary: bool
    upstreams: frozenset[tuple[str, int]]
    position: tuple[int, int]
    followers: tuple[Follower, ...]


def read_standing(row: Row) -> Standing:
    """Read the one row that `STANDING` answers."""
    followers = cast("Sequence[Mapping[str, str]]", row["followers"])
    return Standing(
        is_standby=bool(row["is_standby"]),
        is_paused=bool(row["is_paused"]),
        is_delayed=bool(row["is_delayed"]),
        hears_primary=bool(row["hears_primary"]),
        upstreams=frozenset(_addresses_in(str(row["sender"] or row["conninfo"] or ""))),
        position=(int(str(row["timeline"]), 16), int(str(row["received_bytes"] or 0))),
        followers=tuple(Follower(**follower) for follower in followers),
    )


def _addresses_in(conninfo: str) -> Iterator[tuple[str, int]]:
    """Yield address and port of each server that libpq would try."""
    said: Mapping[str, object] = conninfo_to_dict(conninfo)
    hosts = str(said.get("hostaddr") or said.get("host") or "").split(",")
    ports = str(said.get("port") or DEFAULT_PORT).split(",")
    for host, port in zip(hosts, cycle(ports), strict=False):
        if host:
            yield host, int(port or DEFAULT_PORT)
