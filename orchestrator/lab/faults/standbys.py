"""Faults of a standby: it receives late, or it receives and does not replay."""

from __future__ import annotations

from orchestrator.lab.errors import FaultImpossible
from orchestrator.lab.faults.fault import Fault, Where
from orchestrator.lab.faults.ground import Ground

_LAG_MIB = 2
_SENDERS = "^postgres: .*walsender"
_PATIENCE = "wal_receiver_timeout"
_WRITE_MIB = "select pg_logical_emit_message(false, 'lag', repeat('x', 1024 * 1024))"


def _hold_back(ground: Ground, host: str) -> None:
    """Freeze its sender on the primary, and write; the receiver must not lose its patience."""
    primary = ground.primary()
    ground.configure(host, _PATIENCE, "1h")
    ground.inside(primary, "kill", "-STOP", _sender(ground, primary, host))
    # Nobody must wait for this one to confirm.
    ground.sql(primary, "set synchronous_commit = off", *[_WRITE_MIB] * (_LAG_MIB + 1))


def _sender(ground: Ground, primary: str, host: str) -> str:
    query = f"select pid from pg_stat_replication where application_name = '{host}'"  # noqa: S608 - a host of ours
    if pid := ground.sql(primary, query):
        return pid
    raise FaultImpossible(f"{host} does not stream from {primary}")


def _lags(ground: Ground, host: str) -> bool:
    written = ground.sql(ground.primary(), "select pg_current_wal_insert_lsn()")
    behind = f"pg_wal_lsn_diff('{written}', pg_last_wal_receive_lsn())"
    return ground.says(host, f"select {behind} > {_LAG_MIB} * 1024 * 1024")


def _let_go(ground: Ground, host: str) -> None:
    for member in filter(ground.is_on, ground.members()):
        ground.succeeds_inside(member, "pkill", "--signal", "CONT", "--full", _SENDERS)
    ground.reset(host, _PATIENCE)


def _pause(ground: Ground, host: str) -> None:
    ground.sql(host, "select pg_wal_replay_pause()")


def _is_paused(ground: Ground, host: str) -> bool:
    return ground.says(host, "select pg_get_wal_replay_pause_state() = 'paused'")


def _resume(ground: Ground, host: str) -> None:
    if ground.says(host, "select pg_is_in_recovery()"):
        ground.sql(host, "select pg_wal_replay_resume()")


FAULTS = (
    Fault(
        name="standby-lagging",
        what=f"it streams and gets nothing, {_LAG_MIB} MiB behind",
        where=Where.STANDBY,
        strike=_hold_back,
        is_there=_lags,
        heal=_let_go,
    ),
    Fault(
        name="replay-paused",
        what="it receives and does not replay",
        where=Where.STANDBY,
        strike=_pause,
        is_there=_is_paused,
        heal=_resume,
    ),
)
