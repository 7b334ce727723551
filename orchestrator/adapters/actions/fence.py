"""Action ``fence``: keep a member from taking writes, by whichever of its fences works."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import with_config

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.fences.fencer import FenceState
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.domain.environment import FenceLayer
from orchestrator.domain.playbook import Action
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport, Attempt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.adapters.fences.members import MemberFences, Tried


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class FenceActionInputs:
    """Whose fences, and which of them.

    Attributes:
        on: A member, as ``service/host``.
        open: Open every one again, instead of closing them one after the other until one holds.
        only: Layers of fences; all of them unless given. Where a layer has none, it is open.
    """

    on: str
    open: bool = False
    only: tuple[FenceLayer, ...] = ()


class FenceActor:
    """Closes and opens fences."""

    def __init__(self, fences: MemberFences) -> None:
        self._fences = fences

    def perform(self, action: Action, _attempt: Attempt, *, within: timedelta) -> ActionReport:
        """Close until one is seen to be closed, or open all; what came of each is told.

        Raises:
            TargetUnavailable: If the member has no such fence.
        """
        inputs = parse(FenceActionInputs, action.inputs)
        turn = self._fences.open if inputs.open else self._fences.close
        tried = tuple(turn(inputs.on, inputs.only, deadline=Deadline.after(within)))
        wanted = FenceState.OPEN if inputs.open else FenceState.CLOSED
        last = tried if inputs.open else tried[-1:]
        return ActionReport(
            outcome=_outcome(last, wanted),
            detail="; ".join(map(str, tried)) or f"{inputs.on} has no fence of that layer",
            output="\n".join(map(str, tried)),
        )


def _outcome(tried: Sequence[Tried], wanted: FenceState) -> Outcome:
    states = {one.sight.state for one in tried}
    if states == {wanted} or (not states and wanted is FenceState.OPEN):
        return Outcome.DONE
    return Outcome.UNKNOWN if FenceState.UNKNOWN in states else Outcome.FAILED
