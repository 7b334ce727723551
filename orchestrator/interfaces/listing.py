"""Lists: as a table for people, as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import click

Row = Mapping[str, object]


def print_rows(rows: Sequence[Row], output: str, table: Sequence[str]) -> None:
    """Print *rows* as ``json`` or ``jsonl``, or else the lines of *table*."""
    match output:
        case "json":
            click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        case "jsonl":
            for row in rows:
                click.echo(json.dumps(row, ensure_ascii=False))
        case _:
            for line in table:
                click.echo(line)
