"""``recover diagnose``: what ails the primary of a service, and what to do about it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click

from orchestrator.domain.canonical import plain
from orchestrator.domain.diagnosis import (
    Ailment,
    Diagnosis,
    Examination,
    Sight,
    Testimony,
    Witness,
)
from orchestrator.domain.run import ExitCode
from orchestrator.domain.verdict import Verdict
from orchestrator.interfaces.asking import chosen_environment, environment_option, output_option
from orchestrator.interfaces.columns import labelled, printable, wrapped
from orchestrator.interfaces.marks import mark
from orchestrator.settings import Settings

_WIDTH = 14


@click.command()
@click.argument("service", default="")
@click.option("--on", "host", metavar="HOST", default="", help="A member, not the last primary.")
@environment_option
@output_option
@click.pass_obj
def diagnose(
    settings: Settings, service: str, host: str, environment: str | None, output: str
) -> None:
    """Look at the primary of SERVICE (the watched one if none is named) from every place.

    Changes nothing. Exit code 0: healthy; 5: somebody has to act; 6: nobody can tell.
    """
    from orchestrator.bootstrap.diagnoses import diagnose_now

    where = chosen_environment(settings, environment)
    seen, diagnosis = diagnose_now(settings, where, service=service, host=host)
    if output == "table":
        for line in diagnosis_lines(seen, diagnosis):
            click.echo(line)
    else:
        row = {"diagnosis": plain(diagnosis), "examination": plain(seen)}
        click.echo(json.dumps(row, indent=2 if output == "json" else None, ensure_ascii=False))
    sys.exit(_exit_code(diagnosis))


def _exit_code(diagnosis: Diagnosis) -> ExitCode:
    match diagnosis.ailment:
        case Ailment.HEALTHY:
            return ExitCode.VERIFIED
        case Ailment.UNKNOWN:
            return ExitCode.UNKNOWN
        case _:
            return ExitCode.HANDS_NEEDED


def diagnosis_lines(seen: Examination, diagnosis: Diagnosis) -> Iterator[str]:
    """Yield who saw what, one below the other, then what it comes to and what to do."""
    yield f"{seen.primary}: {click.style(diagnosis.ailment, bold=True)}"
    for verdict, who, what in _rows(seen):
        first, *rest = labelled(who, what, indent=0, width=_WIDTH)
        yield f"{mark(verdict)} {first}"
        yield from (f"  {line}" for line in rest)
    yield from labelled("because", diagnosis.reason, indent=0, width=_WIDTH + 2)
    indent = " " * (_WIDTH + 2)
    first, *rest = wrapped(printable(f"{diagnosis.decision}: {diagnosis.advice}"), indent, indent)
    yield first.replace(diagnosis.decision, click.style(diagnosis.decision, bold=True), 1)
    yield from rest


def _rows(seen: Examination) -> Iterator[tuple[Verdict, str, str]]:
    for sight in seen.sights:
        yield _verdict_of(sight), sight.place, _sight_in_words(sight)
    if seen.users:
        words = f"{_sight_in_words(seen.users)} (from {seen.users.place}, through {seen.entry})"
        yield _verdict_of(seen.users), "users", words
    for testimony in seen.testimonies:
        yield _verdict_on(testimony), testimony.standby.rpartition("/")[2], testimony.detail
    machine = seen.machine
    is_sound = machine.is_reached and not machine.full_disk
    yield Verdict.PASSED if is_sound else Verdict.FAILED, "its machine", machine.detail


def _verdict_of(sight: Sight) -> Verdict:
    if sight.ailment is Ailment.HEALTHY:
        return Verdict.PASSED
    return Verdict.FAILED if sight.has_looked else Verdict.INCONCLUSIVE


def _verdict_on(testimony: Testimony) -> Verdict:
    if testimony.witness is Witness.UNHEARD:
        return Verdict.INCONCLUSIVE
    return Verdict.FAILED if testimony.heard_ago is None else Verdict.PASSED


def _sight_in_words(sight: Sight) -> str:
    took = f" ({sight.took.total_seconds():.1f} s)" if sight.took and sight.has_looked else ""
    word = f"{sight.ailment}{took}: " if sight.has_looked else ""
    return f"{word}{sight.detail}"
