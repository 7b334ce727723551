"""Faults of the server: killed, frozen, stopped, switched off, read-only, slow."""

from __future__ import annotations

from orchestrator.lab.errors import CommandFailed
from orchestrator.lab.faults.fault import Fault, Where, await_sight
from orchestrator.lab.faults.ground import Ground

_SLOW_S = 2


def _kill(ground: Ground, host: str) -> None:
    while pids := ground.server_processes(host):
        ground.succeeds_inside(host, "kill", "-KILL", *pids)


def _is_dead(ground: Ground, host: str) -> bool:
    return not ground.server_processes(host)


def _start(ground: Ground, host: str) -> None:
    if not ground.reason_to_stay_down(host):
        ground.start(host, "postgresql")
        _await_answer(ground, host)


def _freeze(ground: Ground, host: str) -> None:
    """Stop every process; the postmaster first, so that nobody is born or buried after that."""
    ground.inside(host, "kill", "-STOP", ground.postmaster(host))
    ground.inside(host, "kill", "-STOP", *ground.server_processes(host))


def _is_frozen(ground: Ground, host: str) -> bool:
    pids = ground.server_processes(host)
    if not pids:
        return False
    states = ground.inside(host, "ps", "-o", "stat=", "-p", ",".join(pids)).split()
    return all(state[0] in "TZ" for state in states)


def _thaw(ground: Ground, host: str) -> None:
    """Let what is left of it go on; a fence may have killed it."""
    pids = ground.server_processes(host)
    if pids:
        ground.succeeds_inside(host, "kill", "-CONT", *pids)
    if pids and not ground.reason_to_stay_down(host):
        _await_answer(ground, host)


def _stop(ground: Ground, host: str) -> None:
    ground.stop_server(host)


def _switch_off(ground: Ground, host: str) -> None:
    ground.switch(host, "off")


def _is_off(ground: Ground, host: str) -> bool:
    return not ground.is_on(host)


def _switch_on(ground: Ground, host: str) -> None:
    reason = ground.reason_to_stay_down(host)
    if reason and _is_off(ground, host):
        ground.keep_down(host)
    ground.switch(host, "on")
    await_sight(lambda: ground.has_booted(host), f"{host} has booted")
    if host in ground.members() and not reason:
        ground.start(host, "postgresql")
        _await_answer(ground, host)


def _refuse_writes(ground: Ground, host: str) -> None:
    ground.configure(host, "default_transaction_read_only", "on")


def _refuses_writes(ground: Ground, host: str) -> bool:
    return ground.says(host, "select current_setting('transaction_read_only') = 'on'")


def _take_writes(ground: Ground, host: str) -> None:
    ground.reset(host, "default_transaction_read_only")


def _slow_down(ground: Ground, host: str) -> None:
    ground.configure(host, "post_auth_delay", f"{_SLOW_S}s")


def _is_slow(ground: Ground, host: str) -> bool:
    query = "select clock_timestamp() - backend_start >= interval '{} s' from pg_stat_activity"
    return ground.says(host, f"{query.format(_SLOW_S)} where pid = pg_backend_pid()")


def _speed_up(ground: Ground, host: str) -> None:
    ground.reset(host, "post_auth_delay")


def _await_answer(ground: Ground, host: str) -> None:
    def answers() -> bool:
        try:
            return ground.says(host, "select true")
        except CommandFailed:
            return False

    await_sight(answers, f"the server of {host} answers")


FAULTS = (
    Fault(
        name="primary-killed",
        what="every process of the server gets SIGKILL",
        where=Where.PRIMARY,
        strike=_kill,
        is_there=_is_dead,
        heal=_start,
    ),
    Fault(
        name="primary-frozen",
        what="SIGSTOP: it takes connections and never answers",
        where=Where.PRIMARY,
        strike=_freeze,
        is_there=_is_frozen,
        heal=_thaw,
        silences=True,
    ),
    Fault(
        name="postgresql-stopped",
        what="the server is shut down; SSH works",
        where=Where.PRIMARY,
        strike=_stop,
        is_there=_is_dead,
        heal=_start,
    ),
    Fault(
        name="host-off",
        what="loss of power, without a good-bye on any wire",
        where=Where.PRIMARY,
        strike=_switch_off,
        is_there=_is_off,
        heal=_switch_on,
    ),
    Fault(
        name="read-only",
        what="transactions may read, and no more",
        where=Where.PRIMARY,
        strike=_refuse_writes,
        is_there=_refuses_writes,
        heal=_take_writes,
    ),
    Fault(
        name="slow",
        what=f"every new connection takes {_SLOW_S} s",
        where=Where.PRIMARY,
        strike=_slow_down,
        is_there=_is_slow,
        heal=_speed_up,
    ),
)
