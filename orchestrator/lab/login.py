"""Logging in to a host of the lab, as the playbooks do."""

from __future__ import annotations

from pathlib import Path

from orchestrator.lab.errors import HostUnknown
from orchestrator.lab.topology import Blueprint


def ssh_command(blueprint: Blueprint | None, home: Path, name: str) -> list[str]:
    """Return the command that logs in to the host *name* and trusts only its pinned key.

    Raises:
        HostUnknown: If *blueprint* is nothing, since the lab is down, or has no such host.
    """
    hosts = {host.name: host for host in blueprint.hosts} if blueprint else {}
    if blueprint is None:
        raise HostUnknown("there is no lab to log in to; `recover lab up` brings one up")
    if name not in hosts:
        raise HostUnknown(f"the lab has no host {name!r}; its hosts are {', '.join(hosts)}")
    ssh = home / "ssh"
    options = {
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(ssh / "known_hosts"),
        "GlobalKnownHostsFile": "/dev/null",
    }
    settings = [argument for k, v in options.items() for argument in ("-o", f"{k}={v}")]
    key = ["-i", str(ssh / "id_ed25519")]
    port = ["-p", str(blueprint.ports.ssh)]
    return ["ssh", "-F", "none", *key, *settings, *port, hosts[name].management]
