"""What goes wrong at the command line, in words, and the exit code that goes with it."""

from __future__ import annotations

import os
import traceback

import click

from orchestrator.adapters.reports.words import visible
from orchestrator.domain.errors import (
    ContentInvalid,
    OrchestratorError,
    RequestMalformed,
    RequestRefused,
    TargetUnavailable,
)
from orchestrator.domain.run import ExitCode
from orchestrator.lab.errors import FaultUnknown, HostUnknown, LabError

TRACEBACK = "RECOVER_TRACEBACK"


def tell_failure(error: Exception) -> ExitCode:
    """Say on standard error what went wrong, and return what to leave with."""
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
    lines, code = _answer(error)
    for line in "\n".join(lines).splitlines():
        # It may quote what an author wrote or a target said.
        click.echo(visible(line), err=True)
    return code


def _answer(error: Exception) -> tuple[tuple[str, ...], ExitCode]:
    match error:
        case click.exceptions.Abort():
            return ("interrupted; a run that was started goes on: recover runs",), ExitCode.ABORTED
        case click.exceptions.NoArgsIsHelpError():
            return (error.format_message(),), ExitCode.USAGE
        case click.ClickException():
            return (f"error: {error.format_message()}", *_usage(error)), ExitCode.USAGE
        case ContentInvalid():
            number = len(error.problems)
            counted = "1 problem" if number == 1 else f"{number} problems"
            return (str(error), f"{counted}; nothing was changed"), ExitCode.USAGE
        case RequestMalformed() | HostUnknown() | FaultUnknown():
            return (f"error: {error}",), ExitCode.USAGE
        case RequestRefused():
            return (f"refused, nothing was changed: {error}",), ExitCode.REFUSED
        case TargetUnavailable():
            return (f"not possible now, nothing was changed: {error}",), ExitCode.REFUSED
        case OrchestratorError() | LabError():
            return (f"error: {error}",), ExitCode.INTERNAL
        case OSError():
            return (f"error: {_of_the_system(error)}",), ExitCode.INTERNAL
        case _:
            return (
                f"error: a defect of this program, {type(error).__name__}: {error}",
                f"{TRACEBACK}=1 shows where",
            ), ExitCode.INTERNAL


def _usage(error: click.ClickException) -> tuple[str, ...]:
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return ()
    return (context.get_usage(), f"more: {context.command_path} --help")


def _of_the_system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
