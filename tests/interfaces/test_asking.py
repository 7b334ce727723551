from __future__ import annotations

import io
from pathlib import Path

import click
import pytest

from orchestrator.domain.errors import RequestRefused
from orchestrator.interfaces.asking import (
    chosen_environment,
    parameters,
    person,
    require_confirmation,
)
from orchestrator.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(content=tmp_path, state=tmp_path)


def test_parameters_are_taken_by_name_and_may_hold_an_equals_sign() -> None:
    assert parameters(("target=db-a2", "note=a=b", "empty=")) == {
        "target": "db-a2",
        "note": "a=b",
        "empty": "",
    }


@pytest.mark.parametrize(
    ("assignments", "complaint"),
    [
        (("target",), "write it as NAME=VALUE"),
        (("=db-a2",), "write it as NAME=VALUE"),
        (("",), "write it as NAME=VALUE"),
        (("a=1", "a=2"), "given twice"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused(
    assignments: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(click.UsageError, match=complaint):
        parameters(assignments)


def test_who_is_asking_is_said_before_it_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOVER_AS", "grace")
    monkeypatch.setenv("LOGNAME", "root")

    assert person("ada") == "ada"
    assert person(None) == "grace"


def test_who_says_nothing_is_who_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "lin")

    assert person(None) == "lin"


def test_the_environment_is_the_one_given_else_the_variable_s_else_the_lab_s(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.chosen_environment.write_text("lab\n")
    assert chosen_environment(settings, None) == "lab"

    monkeypatch.setenv("RECOVER_ENVIRONMENT", "acme")
    assert chosen_environment(settings, None) == "acme"
    assert chosen_environment(settings, "other") == "other"


def test_without_an_environment_it_says_how_to_name_one(settings: Settings) -> None:
    with pytest.raises(click.UsageError, match=r"--env NAME.*recover lab up"):
        chosen_environment(settings, None)


def test_the_name_of_what_is_changed_opens_the_way() -> None:
    require_confirmation("orders-db", ("orders-db",))


@pytest.mark.parametrize("given", ["orders", "orders-db ", "ORDERS-DB", ""])
def test_any_other_name_is_a_refusal(given: str) -> None:
    with pytest.raises(RequestRefused, match="is not orders-db, which would be changed"):
        require_confirmation(given, ("orders-db",))


def test_a_script_that_names_nothing_is_told_what_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("orders-db\n"))

    with pytest.raises(click.UsageError, match="give --confirm orders-db"):
        require_confirmation(None, ("orders-db",))
