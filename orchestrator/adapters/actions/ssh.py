"""Action ``ssh``: one command on one host."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import with_config

from orchestrator.adapters.actions.outcomes import report_trouble
from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.playbook import Action
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport, Attempt

if TYPE_CHECKING:
    from orchestrator.adapters.ssh_commands import Finished
    from orchestrator.adapters.ssh_sessions import SshSessions


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SshActionInputs:
    """One command.

    Attributes:
        on: A host, or a member as ``service/host``.
        run: The program and its arguments, each arriving as it stands; never a shell line.
        stdin: Given to the program on its standard input.
    """

    on: str
    run: tuple[str, ...]
    stdin: str = ""


class SshActor:
    """Runs commands over SSH."""

    def __init__(self, sessions: SshSessions) -> None:
        self._sessions = sessions

    def perform(self, action: Action, _attempt: Attempt, *, within: timedelta) -> ActionReport:
        """Run the command once; a lost end is ``UNKNOWN``, for the command may go on.

        Raises:
            TargetUnavailable: If it was not started.
        """
        inputs = parse(SshActionInputs, action.inputs)
        answer = self._sessions.run(
            inputs.on, inputs.run, stdin=inputs.stdin, deadline=Deadline.after(within)
        )
        return report_trouble(answer) if isinstance(answer, Trouble) else _report(answer)


def _report(finished: Finished) -> ActionReport:
    outcome = Outcome.FAILED if finished.exit_code else Outcome.DONE
    return ActionReport(outcome=outcome, detail=finished.summary, output=finished.output)
