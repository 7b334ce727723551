"""What only the full lab has: machines of their own, networks, routers and links."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lab import REPOSITORY, Lab, wait_until

pytestmark = pytest.mark.lab

_REACH = "/usr/bin/python3 -c 'import socket; socket.create_connection((\"{}\", {}), 3)'"


def test_every_host_is_a_machine_run_by_systemd(full_lab: Lab) -> None:
    for host in full_lab.blueprint.hosts:
        seen = full_lab.ssh(
            host.name, "hostname; cat /proc/1/comm; systemctl is-system-running --wait"
        )
        assert seen.splitlines() == [host.name, "systemd", "running"]


@pytest.mark.parametrize(
    ("host", "address", "port"),
    [
        pytest.param("db-a1", "10.77.2.21", 5432, id="from site a to site b"),
        pytest.param("app-b1", "10.77.1.13", 6432, id="from site b to site a"),
        pytest.param("client-1", "10.77.1.14", 8080, id="from the clients to site a"),
        pytest.param("client-1", "10.77.2.24", 8080, id="from the clients to site b"),
    ],
)
def test_sites_reach_each_other_through_the_routers(
    full_lab: Lab, host: str, address: str, port: int
) -> None:
    route = full_lab.ssh(host, f"ip route get {address}")

    assert " via " in route
    assert "dev eth1" in route
    full_lab.ssh(host, _REACH.format(address, port))


def test_second_link_carries_the_sites_when_the_first_is_dead(full_lab: Lab) -> None:
    assert "dev wan0" in full_lab.ssh("rtr-b1", "ip route get 10.77.1.11")

    full_lab.ssh("rtr-a1", "ip link set wan0 down")
    try:
        wait_until(
            lambda: "dev wan1" in full_lab.ssh("rtr-b1", "ip route get 10.77.1.11"),
            "the far router on the second link",
        )
        full_lab.ssh("db-a1", _REACH.format("10.77.2.21", 5432))
    finally:
        full_lab.ssh("rtr-a1", "ip link set wan0 up")
        full_lab.ssh("rtr-a1", "ip route add 10.77.2.0/24 via 10.77.100.2 metric 100")
    assert "dev wan0" in full_lab.ssh("rtr-a1", "ip route get 10.77.2.21")


def test_address_of_the_lab_that_nobody_has_never_leaves_the_machine(full_lab: Lab) -> None:
    with pytest.raises(OSError, match=r"unreachable|No route"):
        socket.create_connection(("10.77.9.9", 80), timeout=3)


def test_hosts_see_neither_each_other_s_secrets_nor_the_machine_s_settings(full_lab: Lab) -> None:
    for name in ("client-1", "app-a1"):
        assert full_lab.ssh(name, f"ls -A {full_lab.home} /var/tmp/recover-lab | wc -w") == "2"
        refused = full_lab.try_ssh(name, "echo 1 > /proc/sys/kernel/panic")
        assert "Read-only" in refused.stderr


def test_databases_write_to_a_real_disk(full_lab: Lab) -> None:
    kinds = full_lab.ssh("db-a1", "stat -f -c %T / /var/lib/postgresql").split()

    assert kinds[0] == "overlayfs"
    assert kinds[1] not in ("overlayfs", "tmpfs")


def test_service_killed_by_hand_is_started_again_by_systemd(full_lab: Lab) -> None:
    before = full_lab.ssh("app-a1", "systemctl show -P MainPID shop")

    full_lab.ssh("app-a1", f"kill -9 {before}")

    after = wait_until(
        lambda: _other_than(full_lab.ssh("app-a1", "systemctl show -P MainPID shop"), before),
        "another shop",
    )
    assert full_lab.ssh("app-a1", f"cat /proc/{after}/comm").startswith("python")
    full_lab.ssh("app-a1", "systemctl reset-failed")


def test_ansible_services_templates_and_sql_work(full_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "motd.j2").write_text("{{ inventory_hostname }} at {{ address }}\n", "utf-8")
    (tmp_path / "play.yml").write_text(_PLAYS, "utf-8")

    told = _play(full_lab, tmp_path / "play.yml")

    assert "pool-a1 | SUCCESS" in told
    assert "app-b1 | CHANGED" in told
    assert "db-b1 | CHANGED | rc=0 >>\ndb-b1\n" in told
    assert full_lab.ssh("db-a2", "cat /tmp/motd") == "db-a2 at 10.77.1.12"
    assert full_lab.ssh("app-b1", "systemctl is-active shop") == "active"


_PLAYS = """
- hosts: pool-a1
  gather_facts: false
  tasks: [{service: {name: pgbouncer, state: started}}]
- hosts: app-b1
  gather_facts: false
  tasks: [{service: {name: shop, state: restarted}}]
- hosts: databases
  gather_facts: false
  tasks: [{template: {src: motd.j2, dest: /tmp/motd}}]
- hosts: db-b1
  gather_facts: false
  tasks: [{command: psql -U postgres -Atc 'select current_setting($$cluster_name$$)'}]
"""


def _play(lab: Lab, play: Path) -> str:
    """Play once, and return what is told of each host."""
    ssh = lab.home / "ssh"
    inventory = REPOSITORY / "environments" / "lab" / "inventory.yaml"
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [program, "-i", inventory, play],
        env=os.environ
        | {
            "ANSIBLE_PRIVATE_KEY_FILE": str(ssh / "id_ed25519"),
            "ANSIBLE_SSH_ARGS": f"-F none -o UserKnownHostsFile={ssh / 'known_hosts'}",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_STDOUT_CALLBACK": "minimal",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _other_than(pid: str, before: str) -> str:
    return pid if pid not in (before, "0") else ""
