"""Content: list it, show it, check it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from orchestrator.domain.canonical import plain
from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.run import ExitCode
from orchestrator.interfaces.asking import output_option
from orchestrator.settings import Settings


@click.command()
@output_option
@click.pass_obj
def playbooks(settings: Settings, output: str) -> None:
    """List the recoveries that can be run."""
    from orchestrator import bootstrap

    rows = [
        {"playbook": name, "title": loaded.value.title}
        for name, loaded in bootstrap.load(settings).playbooks.items()
    ]
    if output != "table":
        click.echo(json.dumps(rows) if output == "json" else "\n".join(map(json.dumps, rows)))
        return
    for row in rows:
        click.echo(f"{click.style(row['playbook'], bold=True)}\n  {row['title']}")


@click.command()
@click.argument("playbook")
@click.pass_obj
def show(settings: Settings, playbook: str) -> None:
    """Show PLAYBOOK as it is written: parameters, gates, steps, verification."""
    from orchestrator import bootstrap
    from orchestrator.interfaces.plan_words import playbook_as_text

    content = bootstrap.load(settings)
    written = next((p.value for n, p in content.playbooks.items() if n == playbook), None)
    if written is None:
        names = ", ".join(content.playbooks) or "none"
        raise RequestRefused(f"there is no playbook {playbook} in {settings.content}: {names}")
    click.echo(playbook_as_text(written))


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@output_option
@click.pass_obj
def lint(settings: Settings, paths: tuple[Path, ...], output: str) -> None:
    """Check content folders, or single files in one; list every problem with its position."""
    from orchestrator import bootstrap

    problems = bootstrap.lint(paths or (settings.content,))
    if output == "table":
        click.echo("\n".join(map(str, problems)), nl=bool(problems))
    else:
        rows = [plain(problem) for problem in problems]
        click.echo(json.dumps(rows) if output == "json" else "\n".join(map(json.dumps, rows)))
    click.echo(f"{len(problems)} problem(s)" if problems else "no problems", err=True)
    if problems:
        sys.exit(ExitCode.USAGE)
