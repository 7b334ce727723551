"""What a trouble on the way means for an action that was to be performed."""

from __future__ import annotations

from orchestrator.adapters.trouble import Trouble, TroubleKind
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.run import Outcome
from orchestrator.engine.ports import ActionReport

ANSWERS = frozenset({TroubleKind.ERROR, TroubleKind.READ_ONLY})
"""Kinds of trouble in which the target itself said no."""


def report_trouble(trouble: Trouble) -> ActionReport:
    """Return ``FAILED`` for a no of the target, ``UNKNOWN`` for its silence.

    Raises:
        TargetUnavailable: If nothing was sent.
    """
    if not trouble.was_sent:
        raise TargetUnavailable(str(trouble))
    outcome = Outcome.FAILED if trouble.kind in ANSWERS else Outcome.UNKNOWN
    return ActionReport(outcome=outcome, detail=str(trouble))
