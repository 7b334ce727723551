"""Action ``manual``: a person does it and says so; the step's probes still decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pydantic import with_config

from orchestrator.adapters.inputs import STRICT
from orchestrator.domain.playbook import Action
from orchestrator.domain.run import ManualStepAnswered, Outcome
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import ActionReport, Attempt, Clock, Journal

BETWEEN_GLANCES = timedelta(milliseconds=100)


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ManualInputs:
    """What a person has to do.

    Attributes:
        instructions: In words that somebody who was just woken understands.
        role: Whose people may say that it is done.
    """

    instructions: str
    role: str


class ManualActor:
    """Satisfies the port ``Actor`` by waiting for a person's word in the journal."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def perform(self, action: Action, attempt: Attempt, *, within: timedelta) -> ActionReport:
        """Wait for the answer to this attempt; silence is unknown, never done."""
        del action
        until = self._clock.monotonic() + within.total_seconds()
        while self._clock.monotonic() < until:
            answer = self._answer_to(attempt)
            if answer:
                done = answer.verdict is Verdict.PASSED
                detail = f"{answer.by} {'did it' if done else 'could not'}: {answer.comment}"
                outcome = Outcome.DONE if done else Outcome.FAILED
                return ActionReport(outcome=outcome, detail=detail)
            self._clock.pause(BETWEEN_GLANCES)
        return ActionReport(outcome=Outcome.UNKNOWN, detail="nobody said that it was done")

    def _answer_to(self, attempt: Attempt) -> ManualStepAnswered | None:
        for entry in reversed(self._journal.read(attempt.run)):
            event = entry.event
            if (
                isinstance(event, ManualStepAnswered)
                and event.step == attempt.step
                and event.attempt == attempt.number
            ):
                return event
        return None
