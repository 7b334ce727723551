"""Each fault of the lab as its victims see it, and the lab without it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from orchestrator.lab import lifecycle
from orchestrator.lab.errors import FaultImpossible, FaultUnknown, HostUnknown, LabUnsupported
from orchestrator.lab.faults.breaking import FAULTS, break_lab, heal_lab, is_broken
from orchestrator.lab.faults.fault import Where
from orchestrator.lab.faults.force import InForce, note_faults
from orchestrator.lab.topology import FULL
from tests.support.lab import Lab
from tests.support.orders_db import POOLER, OrdersDb

pytestmark = pytest.mark.lab

_INSERT = "insert into recover_marker (run, seq) values ('fault', 1)"
_MANY = "insert into recover_marker (run, seq) select 'fault', generate_series(1, 500)"
_PATIENCE_S = 1.5


def _is_refused(lab: Lab, host: str, port: int) -> bool:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((lab.host(host).management, port), _PATIENCE_S).close()
    return True


def _is_silent(lab: Lab, host: str, port: int) -> bool:
    with pytest.raises((TimeoutError, OSError), match=r"timed out|No route"):
        socket.create_connection((lab.host(host).management, port), _PATIENCE_S).close()
    return True


def _says_nothing(lab: Lab, host: str) -> bool:
    """Connect to the server and wait for its answer to a greeting, in vain."""
    place = (lab.host(host).management, lab.blueprint.ports.postgresql)
    with socket.create_connection(place, _PATIENCE_S) as connection:
        connection.sendall(bytes.fromhex("0000000804d2162f"))  # asks whether it speaks TLS
        with pytest.raises(TimeoutError):
            connection.recv(1)
    return True


def _is_dead(db: OrdersDb, host: str) -> bool:
    return (
        _is_refused(db.lab, host, db.lab.blueprint.ports.postgresql)
        and db.lab.ssh(host, "echo in") == "in"
    )


def _refuses_the_rest(db: OrdersDb, host: str) -> bool:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        db.ask(host, _INSERT)
    return True


def _has_no_room(db: OrdersDb, host: str) -> bool:
    with pytest.raises(psycopg.errors.DiskFull):
        db.ask(host, _MANY)
    return db.says(host, "select not pg_is_in_recovery()")


def _takes_long(db: OrdersDb, host: str) -> bool:
    began = time.monotonic()
    return db.says(host, "select true") and time.monotonic() - began >= 2


def _is_off(db: OrdersDb, host: str) -> bool:
    """Without power or in a hole; a host of the loopback lab has no wires to be silent on."""
    ports = db.lab.blueprint.ports
    unheard = _is_silent if db.lab.blueprint is FULL else _is_refused
    return unheard(db.lab, host, ports.ssh) and unheard(db.lab, host, ports.postgresql)


def _users_hear_nothing(db: OrdersDb, host: str) -> bool:
    """The controller and the standbys get through; the pooler does not."""
    address = db.lab.host(host).address
    told = db.lab.try_ssh(POOLER, f"timeout 1 bash -c '</dev/tcp/{address}/5432'")
    return told.returncode == 124 and db.says(host, "select true")


def _standbys_hear_nothing(db: OrdersDb, host: str) -> bool:
    address = db.lab.host(host).address
    told = [
        db.lab.try_ssh(m, f"timeout 1 bash -c '</dev/tcp/{address}/5432'") for m in _others(db)
    ]
    return {one.returncode for one in told} == {124} and db.says(host, "select true")


def _others(db: OrdersDb) -> tuple[str, str]:
    return db.target, db.bystander


def _is_behind(db: OrdersDb, host: str) -> bool:
    [(written,)] = db.ask(db.primary, "select pg_current_wal_lsn()")
    return db.says(host, "select pg_last_wal_receive_lsn() < %s::pg_lsn - 1048576", written)


def _holds_back(db: OrdersDb, host: str) -> bool:
    return db.says(host, "select pg_is_wal_replay_paused()")


def _lets_nobody_in(db: OrdersDb, host: str) -> bool:
    return _is_refused(db.lab, host, db.lab.blueprint.ports.ssh) and db.says(host, "select true")


def _resolves_nothing(db: OrdersDb, _: str) -> bool:
    hosts = [host.name for host in db.lab.blueprint.hosts]
    return not any(db.lab.try_ssh(host, "getent hosts db-a1").stdout for host in hosts)


VICTIMS: dict[str, Callable[[OrdersDb, str], bool]] = {
    "primary-killed": _is_dead,
    "primary-frozen": lambda db, host: _says_nothing(db.lab, host),
    "postgresql-stopped": _is_dead,
    "host-off": _is_off,
    "read-only": _refuses_the_rest,
    "slow": _takes_long,
    "host-black-holed": _is_off,
    "client-side-cut": _users_hear_nothing,
    "replication-cut": _standbys_hear_nothing,
    "disk-full": _has_no_room,
    "standby-lagging": _is_behind,
    "replay-paused": _holds_back,
    "ssh-dead": _lets_nobody_in,
    "pooler-killed": lambda db, host: _is_refused(db.lab, host, db.lab.blueprint.ports.pgbouncer),
    "dns-gone": _resolves_nothing,
}


def _some_now_all_later(*now: str) -> list[object]:
    """Return every fault; all but those of *now* are left to `make fault-suite`, which is long."""
    later = pytest.mark.fault_suite
    return [pytest.param(name, marks=() if name in now else later) for name in FAULTS]


def test_every_fault_has_a_victim_here() -> None:
    assert set(VICTIMS) == set(FAULTS)


@pytest.mark.parametrize(
    "name", _some_now_all_later("primary-frozen", "host-off", "pooler-killed")
)
def test_fault_is_felt_and_is_gone_when_it_is_healed(orders_db: OrdersDb, name: str) -> None:
    _require_lab_for(orders_db.lab, name)
    host = _host_of(orders_db, name)
    home = orders_db.lab.home
    with _healed(orders_db):
        break_lab(home, name, "", print)

        assert VICTIMS[name](orders_db, host)
        assert lifecycle.status(home).faults == (f"{name} on {host or 'every host'}",)

    assert lifecycle.status(home).faults == ()
    orders_db.await_well()


@pytest.mark.parametrize("name", _some_now_all_later("host-black-holed"))
def test_fault_that_never_struck_is_healed_without_a_trace(orders_db: OrdersDb, name: str) -> None:
    """Heal what a controller wrote down before it died, and did not make."""
    _require_lab_for(orders_db.lab, name)
    note_faults([InForce(fault=name, host=_host_of(orders_db, name))])
    assert lifecycle.status(orders_db.lab.home).faults != ()

    heal_lab(orders_db.lab.home, "", print)

    assert lifecycle.status(orders_db.lab.home).faults == ()
    orders_db.await_well()


@pytest.mark.usefixtures("full_lab")
def test_faults_are_healed_in_the_reverse_order(orders_db: OrdersDb) -> None:
    home, primary = orders_db.lab.home, orders_db.primary
    said: list[str] = []
    with _healed(orders_db):
        break_lab(home, "primary-frozen", "", print)
        break_lab(home, "host-black-holed", primary, print)

        heal_lab(home, "", said.append)

    assert said == [
        f"host-black-holed on {primary}: healed",
        f"primary-frozen on {primary}: healed",
    ]
    orders_db.await_well()


@pytest.mark.usefixtures("full_lab")
def test_fault_that_is_made_twice_is_healed_once(orders_db: OrdersDb) -> None:
    home, host = orders_db.lab.home, orders_db.primary
    with _healed(orders_db):
        for _ in range(2):
            break_lab(home, "client-side-cut", host, print)
        assert lifecycle.status(home).faults == (f"client-side-cut on {host}",)

        heal_lab(home, "client-side-cut", print)

        assert not is_broken(home, "client-side-cut", host)


def test_fault_that_is_not_in_force_needs_no_healing(lab: Lab) -> None:
    said: list[str] = []

    heal_lab(lab.home, "", said.append)
    heal_lab(lab.home, "slow", said.append)

    assert said == ["no fault is in force", "slow is not in force"]


def test_loopback_lab_says_what_it_cannot_carry(lab: Lab) -> None:
    if lab.blueprint is FULL:
        pytest.skip("the full lab carries all of them")
    for name, fault in FAULTS.items():
        if fault.full_only:
            with pytest.raises(LabUnsupported, match=fault.full_only):
                break_lab(lab.home, name, "", print)

    assert lifecycle.status(lab.home).faults == ()


def test_wrong_names_are_refused_before_anything_breaks(lab: Lab) -> None:
    with pytest.raises(FaultUnknown, match="recover lab faults"):
        break_lab(lab.home, "earthquake", "", print)
    with pytest.raises(HostUnknown, match="no host 'db-z9'"):
        break_lab(lab.home, "slow", "db-z9", print)
    with pytest.raises(FaultImpossible, match="every host"):
        break_lab(lab.home, "dns-gone", "db-a1", print)

    assert lifecycle.status(lab.home).faults == ()


def _require_lab_for(lab: Lab, name: str) -> None:
    if FAULTS[name].full_only and lab.blueprint is not FULL:
        pytest.skip(f"only the full lab has {FAULTS[name].full_only}")


def _host_of(db: OrdersDb, name: str) -> str:
    """Return where it is made if nobody says so; looked up before it hides that."""
    match FAULTS[name].where:
        case Where.PRIMARY:
            return db.primary
        case Where.STANDBY:
            return db.target
        case Where.POOLER:
            return POOLER
        case Where.EVERYWHERE:
            return ""


@contextmanager
def _healed(db: OrdersDb) -> Iterator[None]:
    try:
        yield
    finally:
        heal_lab(db.lab.home, "", print)
        with suppress(psycopg.Error):
            db.ask(db.primary, "delete from recover_marker where run = 'fault'")
