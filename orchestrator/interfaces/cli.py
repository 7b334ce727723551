"""``recover``: the command line, for engineers at a terminal and for scripts.

Commands are imported when they are called, so that ``recover --help`` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn

import click

from orchestrator import __version__
from orchestrator.settings import Settings

COMMANDS = {
    "playbooks": ("content_cli", "List the recoveries that can be run"),
    "show": ("content_cli", "Show a playbook: parameters, steps, gates, verification"),
    "lint": ("content_cli", "Check content; list every problem with its position"),
    "plan": ("run_cli", "Print what a run would do, and freeze nothing"),
    "run": ("run_cli", "Carry a playbook out"),
    "attach": ("run_cli", "Replay a run from its start, and follow it"),
    "diagnose": ("diagnose_cli", "Say what ails a primary, seen from several places"),
    "runs": ("run_cli", "List runs, the newest first"),
    "sign": ("people_cli", "Answer a checklist item of a waiting run"),
    "waive": ("people_cli", "Let a run go on without a soft item, with a reason"),
    "abort": ("people_cli", "Stop a run: no new change, what can be undone is undone"),
    "retry": ("people_cli", "Let a held run try its failed step again"),
    "resume": ("people_cli", "Let a run whose driver died, or that was held, go on"),
    "locks": ("people_cli", "Show which resources are locked, and by whom"),
    "report": ("report_cli", "Render the report of a run again, in any format"),
    "watch": ("watch_cli", "Watch a service in peace, so that a fault has a witness"),
    "lab": ("lab_cli", "A disposable environment of real hosts on this machine"),
    "doctor": ("doctor_cli", "Say what is missing here, and how to get it"),
    "canary": ("canary_cli", "Watch a service as a user would (for the client host)"),
    "drive": ("drive_cli", "Drive a run (started by `run` and `resume`)"),
}
HIDDEN = frozenset({"drive", "canary"})


class LazyCommands(click.Group):
    """A group that knows its commands by name and imports them when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of a run's life."""
        del ctx
        return [name for name in COMMANDS if name not in HIDDEN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; ``None`` if there is no such command."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"orchestrator.interfaces.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(_unknown(args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


def _unknown(command: str, known: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(command, known, n=1)
    return f"there is no command {command}" + (f"; did you mean {close[0]}?" if close else "")


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--content",
    metavar="DIR",
    help="Playbooks, checklists, environments.  [RECOVER_CONTENT, else here]",
)
@click.option(
    "--state", metavar="DIR", help="Journal, runs, keys.  [RECOVER_STATE, else as XDG says]"
)
@click.version_option(__version__)
@click.pass_context
def recover(ctx: click.Context, content: str | None, state: str | None) -> None:
    """Named, pre-tested recovery playbooks: gated, watched, verified, reported."""
    if "NO_COLOR" in os.environ:
        ctx.color = False
    ctx.obj = Settings.find(content, state)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, as this process was called or with *args*, and leave."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that has no sign for something must not end a recovery.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_flushed(_run(args)))


def _run(args: Sequence[str] | None) -> int:
    try:
        recover(args, prog_name="recover", standalone_mode=False)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except Exception as error:  # noqa: BLE001 - the outermost edge; every error is told there
        return _tell(error)
    return 0


def _flushed(code: int) -> int:
    """Write what is left; whoever reads no further, as `head`, has seen enough."""
    if sys.stdout is None:
        return code
    try:
        sys.stdout.flush()
    except OSError as error:
        # Python would try again when it ends, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code if isinstance(error, BrokenPipeError) else _tell(error)
    return code


def _tell(error: Exception) -> int:
    from orchestrator.interfaces.failing import tell_failure

    return tell_failure(error)
