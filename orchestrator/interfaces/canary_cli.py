"""``recover canary``: for the controller, which calls it on the client host over SSH."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from orchestrator.adapters.canary import tending
from orchestrator.adapters.canary.nest import CanaryFailed, Nest, RequestInvalid, check_run

_STATE = "XDG_STATE_HOME"


def _default_directory() -> Path:
    state = os.environ.get(_STATE) or Path.home() / ".local" / "state"
    return Path(state) / "recover" / "canary"


_directory = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=_default_directory,
    help="Where samples are kept; made with mode 0700.",
)
_run = click.option(
    "--run",
    required=True,
    callback=lambda _context, _option, run: _checked(run),
    help="The run that the canary watches.",
)

_limit = click.option(
    "--limit",
    type=click.IntRange(min=4096),
    default=4 * 1024 * 1024,
    show_default=True,
    help="Most bytes to print.",
)


def _checked(run: str) -> str:
    try:
        return check_run(run)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group()
def canary() -> None:
    """Watch a service as a user would, on the client's side of the network.

    The specification is read as JSON from standard input: it holds passwords.
    """


@canary.command()
@_directory
def start(directory: Path) -> None:
    """Start a canary that outlives this command, or find it running."""
    from orchestrator.adapters.canary import starting
    from orchestrator.adapters.canary.spec import read_spec

    with _failures_as_answers():
        spec = read_spec(sys.stdin.buffer.read())
        _say(starting.start(Nest(directory, spec.run), spec))


@canary.command()
@_directory
@_run
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Bytes already read.")
@_limit
def read(directory: Path, run: str, offset: int, limit: int) -> None:
    """Print whole lines from an offset on, as they were written."""
    with _failures_as_answers():
        text = tending.read_on(Nest(directory, run), position=offset, limit=limit)
        sys.stdout.buffer.write(text)


@canary.command()
@_directory
@_run
@click.option("--seconds", type=float, required=True, help="How far to go back.")
@_limit
def recall(directory: Path, run: str, seconds: float, limit: int) -> None:
    """Print what a canary that is at work has seen lately, and where to read on."""
    with _failures_as_answers():
        text = tending.recall(Nest(directory, run), seconds=seconds, limit=limit)
        sys.stdout.buffer.write(text)


@canary.command()
@_directory
@_run
def status(directory: Path, run: str) -> None:
    """Say whether a canary is at work, and when it last gave a sign."""
    with _failures_as_answers():
        _say(tending.watch_over(Nest(directory, run)))


@canary.command()
@_directory
@_run
@click.option("--within", type=float, default=15.0, show_default=True, help="Seconds to wait.")
def stop(directory: Path, run: str, within: float) -> None:
    """End a canary and wait for its last line."""
    with _failures_as_answers():
        _say(tending.stop(Nest(directory, run), within_s=within))


@canary.command()
@click.option("--times", type=click.IntRange(min=1), default=1, show_default=True)
def walk(times: int) -> None:
    """Walk the journey so often in a row, now; print one line for each walk."""
    from orchestrator.adapters.canary.spec import read_spec
    from orchestrator.adapters.canary.walks import walk_in_a_row

    with _failures_as_answers():
        spec = read_spec(sys.stdin.buffer.read())
        if spec.walks is None:
            raise RequestInvalid("walks: there is no journey to walk")
        for line in walk_in_a_row(spec.run, spec.walks, times=times):
            _say(line)


def _say(answer: Mapping[str, object]) -> None:
    click.echo(json.dumps(answer, separators=(",", ":")))


@contextmanager
def _failures_as_answers() -> Iterator[None]:
    """Answer in JSON whatever happens; exit 2 for what was asked wrongly, else 1."""
    try:
        yield
    except RequestInvalid as error:
        _say({"error": str(error)})
        sys.exit(2)
    except (CanaryFailed, OSError) as error:
        _say({"error": str(error)})
        sys.exit(1)
