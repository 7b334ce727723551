"""Content: list it, show it, check it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from orchestrator.domain.problem import Problem
from orchestrator.domain.run import ExitCode
from orchestrator.interfaces.asking import output_option
from orchestrator.interfaces.columns import printable, wrapped
from orchestrator.interfaces.listing import Row, print_rows
from orchestrator.settings import Settings


@click.command()
@output_option
@click.pass_obj
def playbooks(settings: Settings, output: str) -> None:
    """List the recoveries that can be run."""
    from orchestrator.bootstrap import contents

    content = contents.load(settings)
    known = [(name, loaded.value.title) for name, loaded in content.playbooks.items()]
    lines: list[str] = []
    for name, title in known:
        lines += [click.style(name, bold=True), *wrapped(printable(title), "  ", "  ")]
    rows = [{"playbook": name, "title": title} for name, title in known]
    print_rows(rows, output, lines or [f"no playbook in {settings.content}"])
    if content.problems:
        click.echo(f"{_counted(len(content.problems))}: `recover lint` lists them", err=True)


@click.command()
@click.argument("playbook")
@click.pass_obj
def show(settings: Settings, playbook: str) -> None:
    """Show PLAYBOOK as it is written: parameters, gates, steps, verification."""
    from orchestrator.bootstrap import contents
    from orchestrator.interfaces.playbook_words import playbook_as_text

    content = contents.load(settings)
    chosen = content.find_playbook(playbook).value
    known = {name: loaded.value for name, loaded in content.playbooks.items()}
    click.echo(playbook_as_text(chosen, known))


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@output_option
@click.pass_obj
def lint(settings: Settings, paths: tuple[Path, ...], output: str) -> None:
    """Check content folders, parts of them, or single files; list every problem with its place."""
    from orchestrator.bootstrap import contents

    problems = contents.lint(paths or (settings.content,))
    print_rows(
        [_as_row(problem) for problem in problems],
        output,
        [printable(str(problem)) for problem in problems],
    )
    click.echo(_counted(len(problems)), err=True)
    if problems:
        sys.exit(ExitCode.USAGE)


def _as_row(problem: Problem) -> Row:
    place = problem.position
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "what": problem.what,
        "why": problem.why,
        "remedy": problem.remedy,
    }


def _counted(number: int) -> str:
    return {0: "no problems", 1: "1 problem"}.get(number, f"{number} problems")
