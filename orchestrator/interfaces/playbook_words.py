"""A playbook as it is written, before anything is bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from orchestrator.domain.playbook import GateStop, Parameter, Playbook, PlaybookName, Step
from orchestrator.engine.composing import Composition, Part, compose
from orchestrator.interfaces.columns import labelled, printable, wrapped
from orchestrator.interfaces.plan_words import FINAL, objectives_in_words

LABEL_WIDTH = 12


def playbook_as_text(playbook: Playbook, playbooks: Mapping[PlaybookName, Playbook]) -> str:
    """Return what *playbook* and its children want to be told, do, ask and verify."""
    return "\n".join(_lines(compose(playbook, playbooks)))


def _lines(composition: Composition) -> Iterator[str]:
    playbook = composition.parts[0].playbook
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
    yield from _move_lines(composition)
    yield ""
    yield click.style("Verification", bold=True)
    for part in composition.parts:
        yield from _verification_lines(part)


def _parameter_in_words(name: str, parameter: Parameter) -> str:
    default = f", default {parameter.default}" if parameter.default else ""
    about = f": {parameter.about}" if parameter.about else ""
    return f"{name} ({parameter.kind}{default}){about}"


def _move_lines(composition: Composition) -> Iterator[str]:
    number, part = 0, composition.parts[0]
    for placed in composition.moves:
        if placed.part is not part:
            part = placed.part
            yield from wrapped(printable(f"{part.playbook.playbook}: {part.playbook.title}"), "  ")
        match move := placed.move:
            case GateStop():
                yield f"  gate {move.gate}"
            case Step():
                number += 1
                final = click.style(f"  {FINAL}", fg="yellow") if move.point_of_no_return else ""
                yield f"{number:4}. {click.style(printable(move.name), bold=True)}{final}"
                yield from wrapped(printable(move.why), " " * 6, " " * 6)


def _verification_lines(part: Part) -> Iterator[str]:
    verify = part.playbook.verify
    journeys = [
        f"journey {name}, {t.in_a_row} times in a row" for name, t in verify.journeys.items()
    ]
    suites = [f"suite {part.named(suite)}" for suite in verify.suites]
    probes = [f"probe {part.named(name)}" for name in verify.probes]
    for told in (*journeys, *suites, *probes):
        yield from wrapped(printable(told), "  ", "      ")
