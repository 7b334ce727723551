"""``recover report``: the report of a run, rendered again from its journal."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.settings import Settings

FORMATS = click.Choice(["html", "json", "junit"])


@click.command()
@click.argument("run", default="latest")
@click.option("--format", "form", type=FORMATS, default="html", show_default=True)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="A file.")
@click.pass_obj
def report(settings: Settings, run: str, form: str, output: Path | None) -> None:
    """Render the report of RUN, from the journal; of the newest run if none is named."""
    from orchestrator.interfaces.desk import RunDesk

    text = RunDesk(settings, run).report(form)
    if output is None:
        click.echo(text)
        return
    output.write_text(text)
    click.echo(str(output))
