"""Running programs of the operating system, and naming what they refuse."""

from __future__ import annotations

import shlex
import subprocess
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.lab.errors import CommandFailed, PackagesMissing

TIME_LIMIT_S = 60
_SHOWN = 600


def run(
    argv: Sequence[str],
    *,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    patience_s: float = TIME_LIMIT_S,
) -> str:
    """Run *argv* to its end and return what it printed.

    Raises:
        CommandFailed: If it exits with an error or takes longer than *patience_s*.
        PackagesMissing: If there is no such program.
    """
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            env=env,
            text=True,
            capture_output=True,
            timeout=patience_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise PackagesMissing(f"{argv[0]} is not installed; run `make setup`") from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{_named(argv)}: no end within {patience_s} s") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-_SHOWN:]
        raise CommandFailed(f"{_named(argv)}: exit {done.returncode}: {said}")
    return done.stdout


def detach(
    argv: Sequence[str], *, console: Path, stdin: str = "", env: Mapping[str, str] | None = None
) -> None:
    """Start *argv* as nobody's child, with the file *console* for what it says."""
    with console.open("wb") as stream:
        subprocess.run(
            ["setsid", "--fork", *argv],
            input=stdin,
            env=env,
            text=True,
            stdout=stream,
            stderr=subprocess.STDOUT,
            cwd="/",
            check=True,
        )


def succeeds(argv: Sequence[str], *, stdin: str = "") -> bool:
    """Tell whether *argv* runs and exits 0; for cleaning up what may not be there."""
    try:
        run(argv, stdin=stdin)
    except CommandFailed:
        return False
    return True


def _named(argv: Sequence[str]) -> str:
    return textwrap.shorten(shlex.join(argv), 100, placeholder=" …")
