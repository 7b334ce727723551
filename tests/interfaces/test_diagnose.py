from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click
import pytest

from orchestrator.domain.diagnosis import Ailment, Examination, Machine
from orchestrator.domain.run import ExitCode
from orchestrator.engine.diagnosing import diagnose
from orchestrator.interfaces.diagnose_cli import diagnosis_lines
from tests.interfaces.conftest import Recover
from tests.support.examinations import an_examination, deaf, hears, unheard

UNREACHED = Machine(is_reached=False, detail="does not answer over SSH")


def told(seen: Examination) -> list[str]:
    diagnosis = diagnose(seen, silent_for=timedelta(seconds=10), objective=timedelta(0))
    return [click.unstyle(line) for line in diagnosis_lines(seen, diagnosis)]


def test_everybody_s_sight_stands_in_a_line_above_what_it_comes_to() -> None:
    seen = an_examination(
        Ailment.REFUSED,
        Ailment.REFUSED,
        Ailment.UNKNOWN,
        testimonies=(deaf("db-a2"), unheard("db-b1")),
        machine=UNREACHED,
        users=Ailment.REJECTED,
    )

    lines = told(seen)

    assert lines == [
        "orders-db/db-a1: refused",
        "✗ controller    refused (0.0 s): it is refused",
        "✗ pool-a1       refused (0.0 s): it is refused",
        "? client-1      it is unknown",
        "✗ users         rejected (0.0 s): it is rejected (from client-1, through",
        "                orders-pool/pool-a1)",
        "✗ db-a2         receives nothing",
        "? db-b1         does not answer",
        "✗ its machine   does not answer over SSH",
        "because         refused from controller and pool-a1; not heard by db-a2 (db-b1",
        "                could not be asked)",
        "                fail over: fence it first",
    ]


def test_a_primary_that_is_well_is_told_in_good_signs() -> None:
    signs = [line[0] for line in told(an_examination(testimonies=(hears("db-a2"),)))[1:6]]

    assert signs == ["✓"] * 5


def test_every_line_fits_eighty_columns() -> None:
    seen = an_examination(*[Ailment.HUNG] * 3, testimonies=(hears("db-a2"), hears("db-b1")))

    assert all(len(line) <= 80 for line in told(seen))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["orders"], "orders is no postgresql service", id="no such service"),
        pytest.param(["shop"], "shop is no postgresql service", id="a service of another engine"),
        pytest.param(
            ["orders-db", "--on", "pool-a1"], "it has db-a1, db-a2, db-b1", id="no member"
        ),
        pytest.param(["--env", "lap"], "there is no environment `lap`", id="no such environment"),
    ],
)
def test_what_there_is_not_cannot_be_diagnosed(
    recover: Recover, arguments: list[str], complaint: str
) -> None:
    answer = recover("diagnose", "--env", "lab", *arguments)

    assert answer.code == ExitCode.USAGE
    assert complaint in answer.err


def test_without_anybody_who_answers_nobody_is_examined(recover: Recover, state: Path) -> None:
    secret = state / "lab/secrets/recover_reader"
    secret.parent.mkdir(parents=True)
    secret.touch(mode=0o600)

    answer = recover("diagnose", "--env", "lab-loopback")

    assert answer.code == ExitCode.REFUSED
    assert "it is not clear which member of orders-db was the last primary" in answer.err
