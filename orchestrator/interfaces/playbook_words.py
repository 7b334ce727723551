"""A playbook as it is written, before anything is bound."""

from __future__ import annotations

from collections.abc import Iterator

import click

from orchestrator.domain.playbook import GateStop, Parameter, Playbook, Step
from orchestrator.interfaces.columns import labelled, printable, wrapped
from orchestrator.interfaces.plan_words import FINAL, objectives_in_words

LABEL_WIDTH = 12


def playbook_as_text(playbook: Playbook) -> str:
    """Return what *playbook* wants to be told, does, asks and verifies."""
    return "\n".join(_lines(playbook))


def _lines(playbook: Playbook) -> Iterator[str]:
    yield click.style(playbook.playbook, bold=True)
    yield from wrapped(printable(playbook.title), "  ", "  ")
    objectives = objectives_in_words(playbook.objectives)
    yield from labelled("objectives", objectives, indent=2, width=LABEL_WIDTH)
    yield from labelled("locks", ", ".join(playbook.locks), indent=2, width=LABEL_WIDTH)
    yield ""
    yield click.style("Parameters", bold=True)
    for name, parameter in playbook.parameters.items():
        yield from wrapped(printable(_parameter_in_words(name, parameter)), "  ", "      ")
    yield ""
    yield click.style("Steps", bold=True)
    yield f"  gate {playbook.gate}"
    yield from _move_lines(playbook)
    yield ""
    yield click.style("Verification", bold=True)
    yield from _verification_lines(playbook)


def _parameter_in_words(name: str, parameter: Parameter) -> str:
    default = f", default {parameter.default}" if parameter.default else ""
    about = f": {parameter.about}" if parameter.about else ""
    return f"{name} ({parameter.kind}{default}){about}"


def _move_lines(playbook: Playbook) -> Iterator[str]:
    number = 0
    for move in playbook.steps:
        match move:
            case GateStop():
                yield f"  gate {move.gate}"
            case Step():
                number += 1
                final = click.style(f"  {FINAL}", fg="yellow") if move.point_of_no_return else ""
                yield f"{number:4}. {click.style(printable(move.name), bold=True)}{final}"
                yield from wrapped(printable(move.why), " " * 6, " " * 6)


def _verification_lines(playbook: Playbook) -> Iterator[str]:
    verify = playbook.verify
    journeys = [
        f"journey {name}, {t.in_a_row} times in a row" for name, t in verify.journeys.items()
    ]
    suites = [f"suite {suite}" for suite in verify.suites]
    for told in (*journeys, *suites, *(f"probe {name}" for name in verify.probes)):
        yield from wrapped(printable(told), "  ", "      ")
