"""Content: list it, show it, check it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from orchestrator.domain.canonical import plain
from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.problem import Problem
from orchestrator.domain.run import ExitCode
from orchestrator.interfaces.asking import output_option
from orchestrator.settings import Settings

ROOT_MARKS = ("playbooks", "checklists", "environments")


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
    problems = sorted({p for path in paths or (settings.content,) for p in _problems(path)})
    if output == "table":
        click.echo("\n".join(map(str, problems)), nl=bool(problems))
    else:
        rows = [plain(problem) for problem in problems]
        click.echo(json.dumps(rows) if output == "json" else "\n".join(map(json.dumps, rows)))
    click.echo(f"{len(problems)} problem(s)" if problems else "no problems", err=True)
    if problems:
        sys.exit(ExitCode.USAGE)


def _problems(path: Path) -> tuple[Problem, ...]:
    """Return the problems of a content folder, or those of one file or folder inside one."""
    from orchestrator import bootstrap

    root = _root_of(path.absolute())
    problems = bootstrap.load_folder(root).problems
    inside = path.absolute().relative_to(root).as_posix()
    if inside == ".":
        return problems
    return tuple(
        p
        for p in problems
        if p.position.file == inside or p.position.file.startswith(f"{inside}/")
    )


def _root_of(path: Path) -> Path:
    """Return the content folder that *path* is, or lies in."""
    for folder in (path, *path.parents):
        if any((folder / mark).is_dir() for mark in ROOT_MARKS):
            return folder
    raise RequestRefused(f"{path} lies in no folder that holds {', '.join(ROOT_MARKS)}")
