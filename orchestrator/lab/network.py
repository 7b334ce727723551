"""The networks of the full lab: a namespace per host, one more for the switches between them."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator

from orchestrator.lab.commands import run, succeeds
from orchestrator.lab.errors import LabBusy
from orchestrator.lab.topology import (
    CLIENT_GATEWAYS,
    CONTROLLER,
    FULL,
    LINKS,
    SITE_NETWORKS,
    Host,
    Role,
)

MARK = "recover-lab-"
SWITCH = f"{MARK}switch"
CONTROLLER_PORT = "recover-ctl"
_ROUTERS = {host.site: host for host in FULL.having(Role.ROUTER)}
# Without the second, the far router keeps sending into a link that has lost its carrier.
_ROUTER_SYSCTLS = (
    "net.ipv4.ip_forward=1",
    "net.ipv4.conf.all.ignore_routes_with_linkdown=1",
    "net.ipv4.conf.default.ignore_routes_with_linkdown=1",
)


def namespace_of(name: str) -> str:
    """Return the network namespace of the host *name*."""
    return MARK + name


def build_networks() -> None:
    """Make every namespace, switch and wire; each host takes its addresses when it boots.

    Raises:
        LabBusy: If the machine uses the lab's addresses for something else.
    """
    _refuse_foreign_routes()
    # First of all: until the lab's own routes are there, nothing may leave by the default route.
    run(["ip", "route", "replace", "unreachable", FULL.prefix])
    _batch([], _wires())
    _batch(["-n", SWITCH], _switches())
    for router in _ROUTERS.values():
        run(["ip", "netns", "exec", namespace_of(router.name), "sysctl", "-qw", *_ROUTER_SYSCTLS])


def addressing_of(host: Host) -> str:
    """Return what gives *host* its addresses and routes, as a batch for `ip`; also once more."""
    return "".join(f"{line}\n" for line in _addresses(host))


def remove_networks() -> None:
    """Remove every trace of :func:`build_networks`, however far it got."""
    for namespace in namespaces():
        run(["ip", "netns", "delete", namespace])
    succeeds(["ip", "link", "delete", CONTROLLER_PORT])
    succeeds(["ip", "route", "delete", "unreachable", FULL.prefix])


def namespaces() -> list[str]:
    """Return the lab's namespaces that exist now."""
    listed = [line.split()[0] for line in run(["ip", "netns", "list"]).splitlines() if line]
    return [name for name in listed if name.startswith(MARK)]


def _refuse_foreign_routes() -> None:
    ours = ipaddress.ip_network(FULL.prefix)
    for route in json.loads(run(["ip", "-json", "-4", "route", "show"])):
        if route["dst"] == "default" or route.get("type") == "unreachable":
            continue
        if ipaddress.ip_network(route["dst"]).overlaps(ours):
            raise LabBusy(
                f"{route['dst']} on {route.get('dev')} overlaps the lab's {FULL.prefix}:"
                " this machine cannot carry the full lab beside that network"
            )


def _batch(scope: list[str], lines: Iterator[str]) -> None:
    run(["ip", *scope, "-batch", "-"], stdin="".join(f"{line}\n" for line in lines))


def _wires() -> Iterator[str]:
    yield f"netns add {SWITCH}"
    for host in FULL.hosts:
        yield f"netns add {namespace_of(host.name)}"
    yield f"link add {CONTROLLER_PORT} type veth peer name controller netns {SWITCH}"
    for host in FULL.hosts:
        yield _wire(f"mgmt-{host.name}", SWITCH, "eth0", namespace_of(host.name))
        yield _wire(f"site-{host.name}", SWITCH, "eth1", namespace_of(host.name))
    a, b = (namespace_of(_ROUTERS[site].name) for site in ("a", "b"))
    for site, router in _ROUTERS.items():
        yield _wire(f"client-rtr-{site}", SWITCH, "eth2", namespace_of(router.name))
    for link in LINKS:
        yield _wire(link.name, a, link.name, b)
    yield f"address add {CONTROLLER}/24 dev {CONTROLLER_PORT}"
    yield f"link set {CONTROLLER_PORT} up"


def _wire(name: str, namespace: str, far_name: str, far_namespace: str) -> str:
    return (
        f"link add {name} netns {namespace} type veth peer name {far_name} netns {far_namespace}"
    )


def _switches() -> Iterator[str]:
    yield from _switch("lan-mgmt", ["controller", *(f"mgmt-{h.name}" for h in FULL.hosts)])
    for site in SITE_NETWORKS:
        ports = [f"site-{h.name}" for h in FULL.hosts if h.site == site]
        if site == "client":
            ports += [f"client-rtr-{s}" for s in _ROUTERS]
        yield from _switch(f"lan-{site}", ports)


def _switch(name: str, ports: list[str]) -> Iterator[str]:
    yield f"link add {name} type bridge"
    yield f"link set {name} up"
    for port in ports:
        yield f"link set {port} master {name} up"


def _addresses(host: Host) -> Iterator[str]:
    yield "link set lo up"
    yield from _interface("eth0", f"{host.management}/24")
    yield from _interface("eth1", f"{host.address}/24")
    match host.role:
        case Role.ROUTER:
            yield from _router_routes(host)
        case Role.CLIENT:
            yield from _client_routes()
        case _:
            yield f"route replace {FULL.prefix} via {_ROUTERS[host.site].address}"


def _interface(name: str, address: str) -> Iterator[str]:
    yield f"address replace {address} dev {name}"
    yield f"link set {name} up"


def _router_routes(host: Host) -> Iterator[str]:
    is_a = host.site == "a"
    far_site = "b" if is_a else "a"
    yield from _interface("eth2", f"{CLIENT_GATEWAYS[host.site]}/24")
    for link in LINKS:
        near, far = (link.end_a, link.end_b) if is_a else (link.end_b, link.end_a)
        yield from _interface(link.name, f"{near}/30")
        yield f"route replace {SITE_NETWORKS[far_site]} via {far} metric {link.metric}"


def _client_routes() -> Iterator[str]:
    for site, gateway in CLIENT_GATEWAYS.items():
        other = CLIENT_GATEWAYS["b" if site == "a" else "a"]
        yield f"route replace {SITE_NETWORKS[site]} via {gateway} metric 100"
        yield f"route replace {SITE_NETWORKS[site]} via {other} metric 200"
