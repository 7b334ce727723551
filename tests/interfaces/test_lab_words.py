from __future__ import annotations

from pathlib import Path

import click
import pytest

from orchestrator.domain.run import ExitCode
from orchestrator.interfaces.failing import tell_failure
from orchestrator.interfaces.lab_cli import fault_lines, status_lines
from orchestrator.lab.errors import FaultUnknown, HostUnknown, PackagesMissing
from orchestrator.lab.faults.breaking import FAULTS
from orchestrator.lab.faults.force import InForce
from orchestrator.lab.login import ssh_command
from orchestrator.lab.status import NO_LAB, HostStatus, LabStatus
from orchestrator.lab.topology import FULL

UP = HostStatus(
    name="db-a1", site="a", addresses=("10.77.0.11",), state="up", runs=("postgresql",)
)
DOWN = HostStatus(name="client-1", site="clients", addresses=("10.77.0.31",), state="down")


def test_without_a_lab_the_way_to_one_is_told() -> None:
    assert list(status_lines(NO_LAB)) == ["no lab is up; `recover lab up` brings one up"]


def test_hosts_stand_in_columns_and_problems_below_them() -> None:
    seen = LabStatus(
        kind="full",
        environment="lab",
        hosts=(UP, DOWN),
        problems=("client-1 lets nobody in " * 5, "\x1b[2Jodd"),
    )

    first, head, db, client, *problems = map(click.unstyle, status_lines(seen))

    assert first == "full lab, environment lab"
    assert head.split() == ["HOST", "SITE", "STATE", "ADDRESS", "RUNS"]
    assert db.split() == ["db-a1", "a", "up", "10.77.0.11", "postgresql"]
    assert client.split() == ["client-1", "clients", "down", "10.77.0.31"]
    assert problems[0].startswith("  ! client-1 lets nobody in")
    assert problems[-1] == "  ! [U+001B][2Jodd"
    assert all(len(line) <= 80 for line in (db, client, *problems))


def test_faults_in_force_stand_between_hosts_and_problems() -> None:
    seen = LabStatus(
        kind="full",
        environment="lab",
        hosts=(UP,),
        problems=("db-a1: postgresql does not answer",),
        faults=("primary-killed on db-a1",),
    )

    *_, fault, problem = map(click.unstyle, status_lines(seen))

    assert fault == "  ✗ primary-killed on db-a1"
    assert problem == "  ! db-a1: postgresql does not answer"


def test_faults_are_listed_with_where_they_strike_and_which_are_in_force() -> None:
    head, *lines = fault_lines(FAULTS.values(), [InForce(fault="dns-gone", host="")])

    assert head.split() == ["FAULT", "ON", "WHAT", "HAPPENS"]
    assert lines[0].split()[:2] == ["primary-killed", "primary"]
    assert lines[-2:] == ["in force:", "  dns-gone on every host"]
    assert len(lines) == len(FAULTS) + 3
    assert all(len(line) <= 80 for line in lines)


def test_without_a_fault_in_force_that_is_said() -> None:
    *_, last = fault_lines(FAULTS.values(), [])

    assert last == "none is in force"


def test_a_fault_that_there_is_not_is_mistyped(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell_failure(FaultUnknown("there is no fault 'fire'")) == ExitCode.USAGE
    assert capsys.readouterr().err == "error: there is no fault 'fire'\n"


def test_a_host_that_there_is_not_is_mistyped(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HostUnknown) as unknown:
        ssh_command(FULL, Path("home"), "db-z9")

    assert tell_failure(unknown.value) == ExitCode.USAGE
    assert "error: the lab has no host 'db-z9'; its hosts are rtr-a1, " in capsys.readouterr().err


def test_a_login_without_a_lab_says_how_to_get_one() -> None:
    with pytest.raises(HostUnknown, match="no lab to log in to; `recover lab up` brings one up"):
        ssh_command(None, Path("home"), "db-a1")


def test_missing_packages_are_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    lacking = PackagesMissing("the lab's hosts need pgbouncer: apt-get install pgbouncer")

    assert tell_failure(lacking) == ExitCode.INTERNAL
    assert capsys.readouterr().err == f"error: {lacking}\n"
