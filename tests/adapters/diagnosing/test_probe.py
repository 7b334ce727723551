"""The probe ``diagnosis``: what it takes, and how a diagnosis becomes a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest

from orchestrator.adapters.diagnosing.examining import Examiner
from orchestrator.adapters.inputs import parse
from orchestrator.adapters.probes.diagnosis import DiagnosisProber
from orchestrator.adapters.probes.diagnosis_inputs import DiagnosisInputs
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.domain.errors import ContentInvalid
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.verdict import Verdict
from tests.support.actions import a_probe
from tests.support.clinics import Clinic, with_primary_at
from tests.support.clocks import StoppedClock
from tests.support.real_postgresql import RealPostgresql

AN_INSTANT = timedelta(milliseconds=50)


@contextmanager
def a_prober(clinic: Clinic) -> Iterator[DiagnosisProber]:
    environment, secrets = clinic.environment, clinic.secrets
    with (
        closing(SqlSessions(environment, secrets)) as sql,
        closing(SshSessions(environment, secrets)) as ssh,
    ):
        yield DiagnosisProber(Examiner(environment, sql, ssh), StoppedClock())


def look(clinic: Clinic, expect: str, **others: object) -> Evidence:
    inputs: dict[str, object] = {
        "on": "orders-db/db-a1",
        "from": ["pool-a1"],
        "standbys": ["orders-db/db-a2"],
        "account": "operator",
        "expect": expect,
        **others,
    }
    with a_prober(clinic) as prober:
        return prober.look(a_probe("diagnosis", **inputs), within=AN_INSTANT)


@pytest.mark.parametrize(
    ("expect", "verdict"), [("healthy", Verdict.PASSED), ("gone", Verdict.FAILED)]
)
def test_a_healthy_primary_is_not_gone(clinic: Clinic, expect: str, verdict: Verdict) -> None:
    evidence = look(clinic, expect)

    assert evidence.verdict is verdict
    assert evidence.summary == (
        "healthy: it takes writes, seen from controller and pool-a1. "
        "Do not fail over: use database-switchover if the role is to move"
    )


@pytest.mark.parametrize(
    ("expect", "verdict"), [("healthy", Verdict.FAILED), ("gone", Verdict.PASSED)]
)
def test_a_primary_that_nobody_hears_is_gone(
    clinic: Clinic, closed_port: int, expect: str, verdict: Verdict
) -> None:
    dead = with_primary_at(clinic, closed_port)

    evidence = look(dead, expect, silent_for=0)

    assert evidence.verdict is verdict
    assert evidence.summary.startswith("refused: refused from controller and pool-a1; not heard")


def test_a_frozen_primary_is_looked_at_for_longer_than_the_time_that_is_left(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    primary.freeze()
    try:
        evidence = look(clinic, "gone")
    finally:
        primary.thaw()

    assert evidence.verdict is Verdict.FAILED
    assert evidence.summary.startswith("hung: hung from controller and pool-a1, but db-a2 heard")


@pytest.mark.parametrize("expect", ["healthy", "gone"])
def test_one_look_alone_tells_nothing(clinic: Clinic, closed_port: int, expect: str) -> None:
    evidence = look(with_primary_at(clinic, closed_port), expect, **{"from": ["place-gone"]})

    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert "only refused from controller did" in evidence.summary


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        pytest.param({"from": []}, "looks from here alone", id="no place"),
        pytest.param({"standbys": []}, "asks no standby", id="no standby"),
        pytest.param({"from_": ["pool-a1"]}, "from_", id="Python's word for it"),
        pytest.param({"expect": "dead"}, "expect", id="another expectation"),
    ],
)
def test_inputs_that_could_pass_by_mistake_are_refused(
    spoiled: dict[str, object], reason: str
) -> None:
    sound = {"on": "a/b", "from": ["c"], "standbys": ["a/d"], "expect": "gone"}

    with pytest.raises(ContentInvalid, match=reason):
        parse(DiagnosisInputs, sound | spoiled)
