"""The lab's own table of hosts against the inventories that the playbooks use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.lab.credentials import SshKey, known_hosts
from orchestrator.lab.topology import FULL, LOOPBACK, Blueprint, Role
from tests.support.lab import REPOSITORY

_GROUPS = {
    Role.DATABASE: "databases",
    Role.POOLER: "poolers",
    Role.APP: "apps",
    Role.ROUTER: "routers",
    Role.CLIENT: "clients",
}


def _inventory(blueprint: Blueprint) -> dict[str, Any]:
    path = Path(REPOSITORY, "environments", blueprint.environment, "inventory.yaml")
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["all"]
    return loaded


@pytest.mark.parametrize("blueprint", [FULL, LOOPBACK], ids=lambda b: b.kind)
def test_inventory_names_the_hosts_of_the_lab(blueprint: Blueprint) -> None:
    groups = _inventory(blueprint)["children"]

    listed = {
        (group, name, variables["ansible_host"], variables["address"])
        for group, content in groups.items()
        for name, variables in content["hosts"].items()
    }

    assert listed == {(_GROUPS[h.role], h.name, h.management, h.address) for h in blueprint.hosts}


@pytest.mark.parametrize("blueprint", [FULL, LOOPBACK], ids=lambda b: b.kind)
def test_inventory_names_the_ports_of_the_lab(blueprint: Blueprint) -> None:
    inventory = _inventory(blueprint)
    groups, ports = inventory["children"], blueprint.ports

    assert inventory["vars"]["ansible_port"] == ports.ssh
    assert groups["databases"]["vars"]["postgresql_port"] == ports.postgresql
    assert groups["poolers"]["vars"]["pgbouncer_port"] == ports.pgbouncer
    assert groups["apps"]["vars"]["shop_port"] == ports.shop


@pytest.mark.parametrize(
    ("blueprint", "expected"),
    [(FULL, "10.77.0.11 ssh-ed25519 AAAA"), (LOOPBACK, "[127.77.1.11]:22022 ssh-ed25519 AAAA")],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_pins_are_written_as_ssh_looks_them_up(blueprint: Blueprint, expected: str) -> None:
    keys = {h.name: SshKey(private="", public="ssh-ed25519 AAAA name") for h in blueprint.hosts}

    assert expected in known_hosts(blueprint, keys).splitlines()
