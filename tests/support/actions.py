"""Short ways to say an action and a look in tests of adapters."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.domain.playbook import Action, Probe, StepName
from orchestrator.domain.run import RunId
from orchestrator.engine.ports import Attempt

AN_ATTEMPT = Attempt(run=RunId("r-1"), step=StepName("a-step"), number=1)
SOON = timedelta(seconds=10)


def an_action(kind: str, **inputs: object) -> Action:
    return Action(kind=kind, inputs=inputs)


def a_probe(kind: str, **inputs: object) -> Probe:
    return Probe(kind=kind, inputs=inputs)
