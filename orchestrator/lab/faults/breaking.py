"""Breaking the lab and healing it: write down, strike, look; nothing is taken for granted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from orchestrator.lab.errors import (
    CommandFailed,
    FaultImpossible,
    FaultUnknown,
    HostUnknown,
    LabUnsupported,
)
from orchestrator.lab.faults import disks, servers, services, standbys, wires
from orchestrator.lab.faults.fault import Fault, Where, await_sight
from orchestrator.lab.faults.force import InForce, faults_in_force, note_faults
from orchestrator.lab.faults.full_ground import FullGround
from orchestrator.lab.faults.ground import Ground
from orchestrator.lab.faults.loopback_ground import LoopbackGround
from orchestrator.lab.record import exclusive, read_record
from orchestrator.lab.topology import FULL, LOOPBACK, Role

_ALL = (servers, wires, disks, standbys, services)
FAULTS: Mapping[str, Fault] = {fault.name: fault for module in _ALL for fault in module.FAULTS}
_GROUNDS = {FULL.kind: (FullGround, FULL), LOOPBACK.kind: (LoopbackGround, LOOPBACK)}

Say = Callable[[str], None]

ON_ITS_WAY_S = 20
"""How long a host may be on its way up or down, so that nobody answers there."""


def break_lab(home: Path, name: str, host: str, say: Say) -> None:
    """Make the fault *name* on *host*, or where it is for if *host* is empty, and see it.

    Raises:
        FaultUnknown: If there is no such fault.
        HostUnknown: If the lab is down or has no such host.
        LabUnsupported: If this kind of lab cannot carry it.
        FaultNotSeen: If it was made and does not show; it is in force all the same.
    """
    fault = _find(name)
    with exclusive():
        ground = _ground(home)
        if fault.full_only and ground.blueprint is not FULL:
            raise LabUnsupported(f"{name} needs {fault.full_only}: the loopback lab has none")
        made = InForce(fault=name, host=_host(ground, fault, host))
        before = [entry for entry in faults_in_force() if entry != made]
        note_faults([*before, made])
        fault.strike(ground, made.host)
        await_sight(lambda: _sees(fault, ground, made.host, otherwise=False), str(made))
    say(f"{made}: seen")


def heal_lab(home: Path, name: str, say: Say) -> None:
    """Heal the fault *name* wherever it is in force, or all of them, the last one first.

    A server that was replaced meanwhile is left as it is: what is its own fault is healed, and
    nothing makes it a second primary.

    Raises:
        FaultImpossible: If healing would give a replaced server, alive and unfenced, its clients
            back.
        FaultNotSeen: If it is still to be seen; it stays in force.
    """
    wanted = _find(name).name if name else ""
    with exclusive():
        ground = _ground(home)
        chosen = [entry for entry in faults_in_force() if wanted in ("", entry.fault)]
        for entry in reversed(chosen):
            _heal(ground, entry, say)
            note_faults([other for other in faults_in_force() if other != entry])
    if not chosen:
        say(f"{name} is not in force" if name else "no fault is in force")


def is_broken(home: Path, name: str, host: str) -> bool:
    """Look whether the fault *name* is there on *host* now, whatever is written down.

    Raises:
        CommandFailed: If something else that is broken hides it.
    """
    return _find(name).is_there(_ground(home), host)


def _heal(ground: Ground, entry: InForce, say: Say) -> None:
    fault, host = FAULTS[entry.fault], entry.host
    reason = ground.reason_to_stay_down(host)
    if fault.silences and reason:
        _require_fenced(ground, host, reason)
    fault.heal(ground, host)
    if not reason:
        await_sight(lambda: not _sees(fault, ground, host, otherwise=True), f"the end of {entry}")
    say(f"{entry}: healed" + (f"; {reason}" if reason else ""))


def _require_fenced(ground: Ground, host: str, reason: str) -> None:
    if _runs_a_server(ground, host) and ground.port_is_open(host):
        raise FaultImpossible(
            f"{reason}, but its server lives and nothing fences it:"
            " healed, it would take writes. Fence it, or `recover lab down` and `up`"
        )


@retry(
    retry=retry_if_exception_type(CommandFailed),
    stop=stop_after_delay(ON_ITS_WAY_S),
    wait=wait_fixed(0.05),
    reraise=True,
)
def _runs_a_server(ground: Ground, host: str) -> bool:
    """Tell whether a server runs on *host*, once somebody answers there."""
    return ground.is_on(host) and bool(ground.server_processes(host))


def _sees(fault: Fault, ground: Ground, host: str, *, otherwise: bool) -> bool:
    try:
        return fault.is_there(ground, host)
    except CommandFailed:
        return otherwise


def _find(name: str) -> Fault:
    if name not in FAULTS:
        raise FaultUnknown(f"there is no fault {name!r}: `recover lab faults` lists them")
    return FAULTS[name]


def _ground(home: Path) -> Ground:
    record = read_record()
    if record is None or not record.complete:
        raise HostUnknown("there is no lab to break; `recover lab up` brings one up")
    kind, blueprint = _GROUNDS[record.kind]
    return kind(blueprint=blueprint, home=home)


def _host(ground: Ground, fault: Fault, said: str) -> str:
    if said and fault.where is Where.EVERYWHERE:
        raise FaultImpossible(f"{fault.name} is of every host: leave --on away")
    if said:
        return _known(ground, said)
    match fault.where:
        case Where.PRIMARY:
            return ground.primary()
        case Where.STANDBY:
            return ground.standbys()[0]
        case Where.POOLER:
            return ground.blueprint.having(Role.POOLER)[0].name
        case Where.EVERYWHERE:
            return ""


def _known(ground: Ground, name: str) -> str:
    names = [host.name for host in ground.blueprint.hosts]
    if name not in names:
        raise HostUnknown(f"the lab has no host {name!r}; its hosts are {', '.join(names)}")
    return name
