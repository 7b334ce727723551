"""Faults of the networks: packets that the switch drops in silence, unknown to the hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from orchestrator.lab import network
from orchestrator.lab.commands import run, succeeds
from orchestrator.lab.errors import FaultImpossible
from orchestrator.lab.faults.fault import Fault, Where
from orchestrator.lab.faults.ground import Ground
from orchestrator.lab.topology import Host, Role

_LACK = "networks of its own"
_SILENT = 124
_PATIENCE_S = 1
_AT_SWITCH = ["ip", "netns", "exec", network.SWITCH, "nft"]
_USERS = (Role.POOLER, Role.APP, Role.CLIENT)
_RULES = """\
table bridge {table} {{
chain wires {{
type filter hook forward priority 0;
{rules}
}}
}}
"""

_Rules = Callable[[Ground, Host], Iterable[str]]


def _everything(_: Ground, host: Host) -> Iterable[str]:
    """Drop all but ARP: an address that nobody has would be told apart from one that is silent."""
    if host.role is Role.ROUTER:
        raise FaultImpossible(
            f"{host.name} has wires past the switch: only other hosts can be cut"
        )
    ports = f"{{ mgmt-{host.name}, site-{host.name} }}"
    yield f"ether type {{ ip, ip6 }} iifname {ports} drop"
    yield f"ether type {{ ip, ip6 }} oifname {ports} drop"


def _clients(ground: Ground, host: Host) -> Iterable[str]:
    return _between(ground, host, [h for role in _USERS for h in ground.blueprint.having(role)])


def _members(ground: Ground, host: Host) -> Iterable[str]:
    return _between(ground, host, _other_members(ground, host))


def _between(ground: Ground, host: Host, others: Iterable[Host]) -> Iterable[str]:
    """Drop what goes to the database's port of either, and what comes back from it."""
    port = ground.blueprint.ports.postgresql
    here, there = _addresses([host]), _addresses(others)
    yield f"ip saddr {there} ip daddr {here} tcp dport {port} drop"
    yield f"ip saddr {here} ip daddr {there} tcp sport {port} drop"
    yield f"ip saddr {here} ip daddr {there} tcp dport {port} drop"
    yield f"ip saddr {there} ip daddr {here} tcp sport {port} drop"


def _addresses(hosts: Iterable[Host]) -> str:
    found = [address for host in hosts for address in (host.management, host.address)]
    return f"{{ {', '.join(found)} }}"


def _other_members(ground: Ground, host: Host) -> list[Host]:
    return [other for other in ground.blueprint.having(Role.DATABASE) if other != host]


def _cut(fault: str, rules: _Rules) -> Callable[[Ground, str], None]:
    def cut(ground: Ground, host: str) -> None:
        lines = "\n".join(rules(ground, ground.host(host)))
        _join(fault, host)
        run([*_AT_SWITCH, "-f", "-"], stdin=_RULES.format(table=_table(fault, host), rules=lines))

    return cut


def _heal(fault: str) -> Callable[[Ground, str], None]:
    def heal(_: Ground, host: str) -> None:
        _join(fault, host)

    return heal


def _join(fault: str, host: str) -> None:
    succeeds([*_AT_SWITCH, "delete", "table", "bridge", _table(fault, host)])


def _table(fault: str, host: str) -> str:
    return f"{fault}_{host}".replace("-", "_")


def _hears_nobody(ground: Ground, host: str) -> bool:
    """Try its SSH server from here, and its site's address from a neighbour."""
    here = ground.host(host)
    neighbour = next(other for other in ground.blueprint.hosts if other != here)
    ssh = ground.blueprint.ports.ssh
    heard_here = succeeds(_knock(here.management, ssh))
    return not heard_here and _is_silent_from(ground, neighbour, here, ssh)


def _is_cut_from_clients(ground: Ground, host: str) -> bool:
    """Try from a host that must not get through, and from one that must."""
    pooler, member = ground.blueprint.having(Role.POOLER)[0], ground.host(host)
    port = ground.blueprint.ports.postgresql
    others = _other_members(ground, member)
    return _is_silent_from(ground, pooler, member, port) and not any(
        _is_silent_from(ground, other, member, port) for other in others
    )


def _is_cut_from_members(ground: Ground, host: str) -> bool:
    pooler, member = ground.blueprint.having(Role.POOLER)[0], ground.host(host)
    port = ground.blueprint.ports.postgresql
    others = _other_members(ground, member)
    return not _is_silent_from(ground, pooler, member, port) and all(
        _is_silent_from(ground, other, member, port) for other in others
    )


def _is_silent_from(ground: Ground, there: Host, host: Host, port: int) -> bool:
    return not ground.succeeds_inside(there.name, *_knock(host.address, port))


def _knock(address: str, port: int) -> list[str]:
    """Return a command that fails if nothing at all comes back; a refusal is an answer."""
    try_it = f'timeout {_PATIENCE_S} bash -c "exec 3<>/dev/tcp/{address}/{port}" 2>/dev/null'
    return ["sh", "-c", f"{try_it}; [ $? -ne {_SILENT} ]"]


FAULTS = (
    Fault(
        name="host-black-holed",
        what="every packet of the host is dropped in silence",
        where=Where.PRIMARY,
        strike=_cut("host-black-holed", _everything),
        is_there=_hears_nobody,
        heal=_heal("host-black-holed"),
        silences=True,
        full_only=_LACK,
    ),
    Fault(
        name="client-side-cut",
        what="pooler, shops and clients lose its database port",
        where=Where.PRIMARY,
        strike=_cut("client-side-cut", _clients),
        is_there=_is_cut_from_clients,
        heal=_heal("client-side-cut"),
        silences=True,
        full_only=_LACK,
    ),
    Fault(
        name="replication-cut",
        what="the other members lose its database port",
        where=Where.PRIMARY,
        strike=_cut("replication-cut", _members),
        is_there=_is_cut_from_members,
        heal=_heal("replication-cut"),
        silences=True,
        full_only=_LACK,
    ),
)
