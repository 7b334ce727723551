"""Fences of the kind ``ssh``: commands on the member's own host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.fences.fencer import FenceState, Sight
from orchestrator.adapters.fences.inputs import SshFenceInputs
from orchestrator.adapters.inputs import parse
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport

if TYPE_CHECKING:
    from orchestrator.adapters.ssh_sessions import SshSessions

STATES: Mapping[int, FenceState] = {0: FenceState.CLOSED, 1: FenceState.OPEN}
"""By exit code, as ``test`` answers; what could not even be asked ends with another one."""


class SshFencer:
    """Satisfies the role ``Fencer`` with commands; a host that is gone is told in time."""

    def __init__(self, sessions: SshSessions) -> None:
        self._sessions = sessions

    def close(
        self, member: str, inputs: Mapping[str, object], *, deadline: Deadline
    ) -> ActionReport:
        """Run the command that closes it."""
        return self._run(member, parse(SshFenceInputs, inputs).close, deadline)

    def open(
        self, member: str, inputs: Mapping[str, object], *, deadline: Deadline
    ) -> ActionReport:
        """Run the command that opens it."""
        return self._run(member, parse(SshFenceInputs, inputs).open, deadline)

    def look(self, member: str, inputs: Mapping[str, object], *, deadline: Deadline) -> Sight:
        """Run the command that tells whether it is closed."""
        argv = parse(SshFenceInputs, inputs).is_closed
        answer = self._sessions.run(member, argv, deadline=deadline)
        if isinstance(answer, Trouble):
            return Sight(state=FenceState.UNKNOWN, detail=str(answer))
        state = STATES.get(answer.exit_code, FenceState.UNKNOWN)
        return Sight(state=state, detail=answer.summary)

    def _run(self, member: str, argv: Sequence[str], deadline: Deadline) -> ActionReport:
        answer = self._sessions.run(member, argv, deadline=deadline)
        if isinstance(answer, Trouble):
            outcome = Outcome.UNKNOWN if answer.was_sent else Outcome.FAILED
            return ActionReport(outcome=outcome, detail=str(answer))
        outcome = Outcome.FAILED if answer.exit_code else Outcome.DONE
        return ActionReport(outcome=outcome, detail=answer.summary)
