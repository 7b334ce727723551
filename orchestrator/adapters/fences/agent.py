"""Fences of the kind ``agent``: programs with the standard interface of fence agents.

Source: ClusterLabs, Fence Agent API. Options come as ``name=value`` lines on standard input; exit
code 0 means done (of ``status``: on), 2 means off, 1 an error.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.fences.agent_process import AgentEnd, find_program, run_agent
from orchestrator.adapters.fences.fencer import FenceState, Sight
from orchestrator.adapters.fences.inputs import AgentFenceInputs
from orchestrator.adapters.inputs import parse
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport

STATES: Mapping[int, FenceState] = {0: FenceState.OPEN, 2: FenceState.CLOSED}
"""By exit code of ``status``: a plug that is on lets its member live."""
WORDS: Mapping[FenceState, str] = {FenceState.OPEN: "on", FenceState.CLOSED: "off"}


class AgentFencer:
    """Satisfies the role ``Fencer``: ``off`` closes, ``on`` opens, ``status`` looks."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    def close(
        self, _member: str, inputs: Mapping[str, object], *, deadline: Deadline
    ) -> ActionReport:
        """Turn the plug off."""
        return self._turn("off", parse(AgentFenceInputs, inputs), deadline)

    def open(
        self, _member: str, inputs: Mapping[str, object], *, deadline: Deadline
    ) -> ActionReport:
        """Turn the plug on."""
        return self._turn("on", parse(AgentFenceInputs, inputs), deadline)

    def look(self, _member: str, inputs: Mapping[str, object], *, deadline: Deadline) -> Sight:
        """Ask for the plug's status."""
        try:
            end = self._call("status", parse(AgentFenceInputs, inputs), deadline)
        except TargetUnavailable as error:
            return Sight(state=FenceState.UNKNOWN, detail=str(error))
        state = STATES.get(end.exit_code, FenceState.UNKNOWN)
        return Sight(state=state, detail=WORDS.get(state, str(end)))

    def _turn(self, action: str, agent: AgentFenceInputs, deadline: Deadline) -> ActionReport:
        try:
            end = self._call(action, agent, deadline)
        except TargetUnavailable as error:
            return ActionReport(outcome=Outcome.FAILED, detail=str(error))
        if end.was_late:
            return ActionReport(outcome=Outcome.UNKNOWN, detail=str(end))
        outcome = Outcome.FAILED if end.exit_code else Outcome.DONE
        return ActionReport(outcome=outcome, detail=str(end))

    def _call(self, action: str, agent: AgentFenceInputs, deadline: Deadline) -> AgentEnd:
        options = {**agent.options, "action": action}
        password = self._secrets.read(agent.password) if agent.password else ""
        program = find_program(agent.program, below=self._secrets.folder)
        return run_agent(program, options, password, deadline=deadline)
