"""Every fault of the lab has its name and its consequence within ten seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from orchestrator.domain.diagnosis import Ailment, Decision
from orchestrator.domain.run import ExitCode
from tests.support.lab import wait_until
from tests.support.orders_db import OrdersDb
from tests.support.recover_command import Recover

pytestmark = pytest.mark.lab

LONG = pytest.mark.fault_suite
"""Left to `make fault-suite`, which is long."""
LONGEST_S = 10.0
Conclusion = tuple[Ailment, Decision]


@pytest.mark.parametrize(
    ("fault", "ailment", "decision"),
    [
        ("primary-killed", Ailment.REFUSED, Decision.FAIL_OVER),
        pytest.param("postgresql-stopped", Ailment.REFUSED, Decision.FAIL_OVER, marks=LONG),
        pytest.param("primary-frozen", Ailment.HUNG, Decision.FAIL_OVER, marks=LONG),
        pytest.param("host-off", Ailment.BLACK_HOLED, Decision.FAIL_OVER, marks=LONG),
        pytest.param("host-black-holed", Ailment.BLACK_HOLED, Decision.FAIL_OVER, marks=LONG),
        ("client-side-cut", Ailment.PARTLY_HEARD, Decision.REFUSE),
        pytest.param("replication-cut", Ailment.UNREPLICATED, Decision.REFUSE, marks=LONG),
        ("disk-full", Ailment.DISK_FULL, Decision.REFUSE),
        pytest.param("read-only", Ailment.READ_ONLY, Decision.REFUSE, marks=LONG),
        pytest.param("slow", Ailment.SLOW, Decision.REFUSE, marks=LONG),
        ("pooler-killed", Ailment.ENTRY_DEAD, Decision.REFUSE),
        pytest.param("ssh-dead", Ailment.HEALTHY, Decision.REFUSE, marks=LONG),
        pytest.param("standby-lagging", Ailment.HEALTHY, Decision.REFUSE, marks=LONG),
        pytest.param("replay-paused", Ailment.HEALTHY, Decision.REFUSE, marks=LONG),
        pytest.param("dns-gone", Ailment.HEALTHY, Decision.REFUSE, marks=LONG),
    ],
)
@pytest.mark.usefixtures("full_lab")
def test_a_fault_has_its_name_and_its_consequence(
    recover: Recover, orders_db: OrdersDb, fault: str, ailment: Ailment, decision: Decision
) -> None:
    primary = orders_db.primary

    with broken(recover, fault):
        # What a standby heard ten seconds ago contradicts for ten seconds.
        wait_until(
            lambda: conclusion(recover, primary) == (ailment, decision), f"{ailment}: {decision}"
        )


def test_a_primary_that_has_just_frozen_is_not_given_up(
    recover: Recover, orders_db: OrdersDb
) -> None:
    primary = orders_db.primary
    assert orders_db.takes_a_write()

    with broken(recover, "primary-frozen"):
        seen = conclusion(recover, primary)

    assert seen == (Ailment.HUNG, Decision.REFUSE)


def test_a_healthy_primary_leaves_with_zero_and_its_markers_as_they_were(
    recover: Recover, orders_db: OrdersDb
) -> None:
    query = "select count(*) from recover_marker"
    before = orders_db.ask(orders_db.primary, query)

    told = recover("diagnose")

    assert told.returncode == ExitCode.VERIFIED, told.stderr
    assert told.stdout.startswith(f"orders-db/{orders_db.primary}: healthy\n")
    assert orders_db.ask(orders_db.primary, query) == before


def conclusion(recover: Recover, primary: str) -> Conclusion:
    """Diagnose once, in time, and about the right member."""
    started = time.monotonic()
    told = recover("diagnose", "-o", "json")
    took_s = time.monotonic() - started
    assert told.stdout, told.stderr
    answer = json.loads(told.stdout)
    assert answer["examination"]["primary"] == f"orders-db/{primary}"
    assert took_s < LONGEST_S
    diagnosis = answer["diagnosis"]
    return Ailment(diagnosis["ailment"]), Decision(diagnosis["decision"])


@contextmanager
def broken(recover: Recover, fault: str) -> Iterator[None]:
    """Break the lab, which sees for itself that it is broken, and heal it."""
    made = recover("lab", "break", fault)
    try:
        assert made.returncode == 0, made.stderr
        yield
    finally:
        healed = recover("lab", "heal")
        assert healed.returncode == 0, healed.stderr
