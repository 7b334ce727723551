"""Options and questions that several commands share."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping

import click

from orchestrator.domain.checklist import PersonName
from orchestrator.domain.errors import RequestRefused
from orchestrator.settings import Settings

FORMATS = click.Choice(["table", "json", "jsonl"])

as_option = click.option(
    "--as", "name", metavar="NAME", help="Who you are.  [RECOVER_AS, else the login name]"
)
output_option = click.option(
    "--output", "-o", type=FORMATS, default="table", show_default=True, help="How to print."
)
environment_option = click.option(
    "--env", "environment", metavar="NAME", help="Where.  [RECOVER_ENVIRONMENT, else the lab]"
)
set_option = click.option(
    "--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Set a parameter."
)


def person(name: str | None) -> PersonName:
    """Return who is asking."""
    return PersonName(name or os.environ.get("RECOVER_AS") or getpass.getuser())


def chosen_environment(settings: Settings, given: str | None) -> str:
    """Return the environment to use, or say how to name one."""
    name = given or os.environ.get("RECOVER_ENVIRONMENT")
    if not name and settings.chosen_environment.exists():
        name = settings.chosen_environment.read_text().strip()
    if not name:
        raise click.UsageError(
            "no environment: give --env NAME, or bring the lab up with `recover lab up`"
        )
    return name


def parameters(assignments: tuple[str, ...]) -> Mapping[str, str]:
    """Return what ``--set`` was given, by name."""
    given: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--set {assignment}: write it as NAME=VALUE")
        if name in given:
            raise click.UsageError(f"--set {name} is given twice")
        given[name] = value
    return given


def require_confirmation(given: str | None, resources: tuple[str, ...]) -> None:
    """Want the name of what is recovered typed back: at the prompt, or in a script."""
    wanted = " ".join(resources)
    if given is None:
        if not sys.stdin.isatty():
            raise click.UsageError(f"this changes {wanted}: give --confirm {wanted}")
        given = click.prompt(f"This changes {wanted}. Type its name to go on", err=True)
    if given != wanted:
        raise RequestRefused(f"--confirm {given} is not {wanted}, which would be changed")
