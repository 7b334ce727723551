"""Faults of what the hosts run beside the database: logins, pooler, names."""

from __future__ import annotations

import socket

from orchestrator.lab.faults.fault import Fault, Where
from orchestrator.lab.faults.ground import Ground

_PATIENCE_S = 1.0
_NAMES, _KEPT = "/etc/hosts", "/etc/hosts.kept"
_FORGET = f"[ -e {_KEPT} ] || cp -p {_NAMES} {_KEPT}; echo 127.0.0.1 localhost > {_NAMES}"
_REMEMBER = f"[ ! -e {_KEPT} ] || mv {_KEPT} {_NAMES}"


def _kill_ssh(ground: Ground, host: str) -> None:
    ground.kill(host, "ssh")


def _ssh_refuses(ground: Ground, host: str) -> bool:
    return _refuses(ground.host(host).management, ground.blueprint.ports.ssh)


def _start_ssh(ground: Ground, host: str) -> None:
    ground.start(host, "ssh")


def _kill_pooler(ground: Ground, host: str) -> None:
    ground.kill(host, "pgbouncer")


def _pooler_refuses(ground: Ground, host: str) -> bool:
    return _refuses(ground.host(host).management, ground.blueprint.ports.pgbouncer)


def _start_pooler(ground: Ground, host: str) -> None:
    ground.start(host, "pgbouncer")


def _forget_names(ground: Ground, _: str) -> None:
    for host in _switched_on(ground):
        ground.inside(host, "sh", "-c", _FORGET)


def _knows_no_name(ground: Ground, _: str) -> bool:
    hosts = _switched_on(ground)
    return not any(ground.succeeds_inside(host, "getent", "hosts", hosts[0]) for host in hosts)


def _remember_names(ground: Ground, _: str) -> None:
    for host in _switched_on(ground):
        ground.inside(host, "sh", "-c", _REMEMBER)


def _switched_on(ground: Ground) -> list[str]:
    return [host.name for host in ground.blueprint.hosts if ground.is_on(host.name)]


def _refuses(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=_PATIENCE_S):
            return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False


FAULTS = (
    Fault(
        name="ssh-dead",
        what="nobody can log in; PostgreSQL works",
        where=Where.PRIMARY,
        strike=_kill_ssh,
        is_there=_ssh_refuses,
        heal=_start_ssh,
    ),
    Fault(
        name="pooler-killed",
        what="the pooler gets SIGKILL and stays dead",
        where=Where.POOLER,
        strike=_kill_pooler,
        is_there=_pooler_refuses,
        heal=_start_pooler,
    ),
    Fault(
        name="dns-gone",
        what="no host resolves any name",
        where=Where.EVERYWHERE,
        strike=_forget_names,
        is_there=_knows_no_name,
        heal=_remember_names,
        full_only="file systems of its own",
    ),
)
