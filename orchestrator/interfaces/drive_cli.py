"""``recover drive``: the process that drives one run; started by ``run`` and ``resume``."""

from __future__ import annotations

import click

from orchestrator.settings import Settings


@click.command()
@click.argument("run")
@click.pass_obj
def drive(settings: Settings, run: str) -> None:
    """Drive RUN to its end, or to a hold."""
    from orchestrator.interfaces.desk import RunDesk

    RunDesk(settings, run).drive()
