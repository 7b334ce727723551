"""The lab's out-of-band control, spoken to as any fence agent, and the fence over SSH."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.support.fences import command_of
from tests.support.lab import Lab, wait_until
from tests.support.orders_db import OrdersDb

pytestmark = pytest.mark.lab

ON, OFF, NEITHER = 0, 2, 1
HOST = "app-b1"


@pytest.fixture(autouse=True)
def given_back(lab: Lab) -> Iterator[None]:
    """Whatever a test switched off is on again after it."""
    yield
    for host in ("app-b1", "db-b1"):
        _ask(lab, action="on", device="power", plug=host)
        if lab.blueprint.kind == "full":
            _ask(lab, action="on", device="port", plug=host)


def test_agent_tells_whether_a_host_has_power(lab: Lab) -> None:
    assert _ask(lab, action="status", plug=HOST).returncode == ON

    assert _ask(lab, action="off", plug=HOST).returncode == 0

    assert _ask(lab, action="status", plug=HOST).returncode == OFF
    assert _ask(lab, action="off", plug=HOST).returncode == 0
    with pytest.raises(OSError, match=r"timed out|refused|No route"):
        socket.create_connection((lab.host(HOST).management, lab.blueprint.ports.ssh), 1)


def test_host_that_gets_power_boots_from_the_disk_it_had(
    full_lab: Lab, orders_db: OrdersDb
) -> None:
    full_lab.ssh("db-b1", "touch /root/kept && systemctl mask postgresql@15-main")

    _ask(full_lab, action="off", plug="db-b1")
    began = time.monotonic()
    assert _ask(full_lab, action="on", plug="db-b1").returncode == 0
    assert time.monotonic() - began < 1

    wait_until(lambda: full_lab.try_ssh("db-b1", "test -e /root/kept").returncode == 0, "its file")
    full_lab.ssh("db-b1", "systemctl is-system-running --wait")
    assert full_lab.try_ssh("db-b1", "systemctl is-active postgresql@15-main").returncode != 0
    full_lab.ssh("db-b1", "rm /root/kept && systemctl unmask postgresql@15-main")
    orders_db.control("db-b1", "start")
    orders_db.await_well()


def test_loss_of_power_says_good_bye_to_nobody(full_lab: Lab) -> None:
    place = (full_lab.host(HOST).management, full_lab.blueprint.ports.ssh)
    with socket.create_connection(place, 5) as connection:
        connection.recv(100)
        connection.settimeout(1)

        _ask(full_lab, action="off", plug=HOST)

        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_shut_port_takes_the_site_s_network_and_leaves_management(full_lab: Lab) -> None:
    address, port = full_lab.host(HOST).address, full_lab.blueprint.ports.shop
    reach = f"timeout 2 bash -c '</dev/tcp/{address}/{port}'"
    wait_until(
        lambda: full_lab.try_ssh("client-1", reach).returncode == 0, "a shop that is reached"
    )

    assert _ask(full_lab, action="off", device="port", plug=HOST).returncode == 0

    assert _ask(full_lab, action="status", device="port", plug=HOST).returncode == OFF
    assert _ask(full_lab, action="status", device="power", plug=HOST).returncode == ON
    assert full_lab.try_ssh("client-1", reach).returncode != 0
    assert full_lab.ssh(HOST, "echo in") == "in"


def test_port_stays_shut_over_a_loss_of_power(full_lab: Lab) -> None:
    _ask(full_lab, action="off", device="port", plug=HOST)

    _ask(full_lab, action="reboot", plug=HOST)

    assert _ask(full_lab, action="status", device="port", plug=HOST).returncode == OFF
    assert _ask(full_lab, action="status", plug=HOST).returncode == ON


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        pytest.param({"password": "guess"}, "wrong password", id="a wrong password"),
        pytest.param({"plug": "db-z9"}, "no host db-z9", id="a host that there is not"),
        pytest.param({"plug": "../lab"}, "say plug=HOST", id="a path"),
        pytest.param({"plug": ""}, "say plug=HOST", id="no host"),
        pytest.param({"device": "toaster"}, "no device toaster", id="another device"),
        pytest.param({"action": "explode"}, "no action explode", id="another action"),
    ],
)
def test_agent_refuses_what_it_does_not_understand(
    lab: Lab, asked: dict[str, str], answer: str
) -> None:
    told = _ask(lab, **({"action": "off", "plug": HOST} | asked))

    assert told.returncode == NEITHER
    assert answer in told.stderr
    assert _ask(lab, action="status", plug=HOST).returncode == ON


def test_agent_answers_that_it_is_there(lab: Lab) -> None:
    assert _ask(lab, action="monitor").returncode == 0


def test_fenced_member_is_dead_even_if_it_was_frozen_and_stays_so(
    lab: Lab, orders_db: OrdersDb
) -> None:
    close, is_closed, unfence, start = (
        command_of(lab, f"postgresql_{name}")
        for name in ("fence", "is_fenced", "unfence", "start")
    )
    host = orders_db.bystander
    postmaster = _postmaster(lab, host)
    lab.ssh(host, f"kill -STOP {postmaster}")
    assert lab.try_ssh(host, is_closed).returncode == 1

    lab.ssh(host, close)

    assert lab.try_ssh(host, is_closed).returncode == 0
    lab.try_ssh(host, start)
    assert lab.try_ssh(host, is_closed).returncode == 0
    _ask(lab, action="reboot", plug=host)
    wait_until(lambda: lab.try_ssh(host, is_closed).returncode == 0, "a member that stays fenced")
    lab.ssh(host, unfence)
    assert lab.try_ssh(host, is_closed).returncode == 1
    wait_until(lambda: lab.try_ssh(host, start).returncode == 0, "a start")
    orders_db.await_well()


def _postmaster(lab: Lab, host: str) -> str:
    full = lab.blueprint.kind == "full"
    data = "/var/lib/postgresql/15/main" if full else "$PGDATA"
    return f"$(head -1 {data}/postmaster.pid)"


def _ask(lab: Lab, **asked: str) -> subprocess.CompletedProcess[str]:
    order = {"password": lab.secret("fence")} | asked
    return subprocess.run(
        [str(lab.home / "fence_lab")],
        input="".join(f"{key}={value}\n" for key, value in order.items()),
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
