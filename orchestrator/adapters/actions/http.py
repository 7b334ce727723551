"""Action ``http``: one request."""

from __future__ import annotations

from collections.abc import Mapping
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
    from orchestrator.adapters.http_exchange import HttpExchange


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpActionInputs:
    """One request. Redirects are not followed.

    Attributes:
        method: E.g. ``POST``.
        url: With scheme and host.
        json: The body, if there is one.
        status: Accepted answers.
    """

    url: str
    method: str = "POST"
    json: Mapping[str, object] | None = None
    status: tuple[int, ...] = (200, 201, 202, 204)


class HttpActor:
    """Sends requests."""

    def __init__(self, exchange: HttpExchange) -> None:
        self._exchange = exchange

    def perform(self, action: Action, _attempt: Attempt, *, within: timedelta) -> ActionReport:
        """Send the request once; a lost answer is ``UNKNOWN``.

        Raises:
            TargetUnavailable: If it was not sent.
        """
        inputs = parse(HttpActionInputs, action.inputs)
        reply = self._exchange.send(
            inputs.method, inputs.url, json=inputs.json, deadline=Deadline.after(within)
        )
        if isinstance(reply, Trouble):
            return report_trouble(reply)
        return ActionReport(
            outcome=Outcome.DONE if reply.status in inputs.status else Outcome.FAILED,
            detail=f"{inputs.url}: status {reply.status}",
            output=reply.text,
        )
