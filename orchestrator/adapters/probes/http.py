"""Probe ``http``: one request that changes nothing, and what the answer must be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import with_config

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.probes.judgement import (
    Judgement,
    inconclusive,
    judge_reasons,
    look_once,
)
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.expectation import Expectation, shortfalls
from orchestrator.domain.playbook import Probe
from orchestrator.engine.ports import Clock

if TYPE_CHECKING:
    from orchestrator.adapters.http_exchange import HttpExchange, Reply


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbeInputs:
    """One ``GET``. Redirects are not followed.

    Attributes:
        url: With scheme and host.
        status: Accepted answers.
        json: What the body must hold, by dotted path, e.g. ``items.0.name``.
    """

    url: str
    status: tuple[int, ...] = (200,)
    json: Mapping[str, Expectation] = field(default_factory=dict)


class HttpProber:
    """Looks with requests from the controller."""

    def __init__(self, exchange: HttpExchange, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Ask once."""
        inputs = parse(HttpProbeInputs, probe.inputs)
        deadline = Deadline.after(within)
        return look_once(self._clock, lambda: self._look(inputs, deadline))

    def _look(self, inputs: HttpProbeInputs, deadline: Deadline) -> Judgement:
        reply = self._exchange.send("GET", inputs.url, deadline=deadline)
        if isinstance(reply, Trouble):
            return inconclusive(reply)
        reasons = [f"{inputs.url}: {reason}" for reason in _reasons(inputs, reply)]
        return judge_reasons(reasons, seen=f"{inputs.url}: status {reply.status}")


def _reasons(inputs: HttpProbeInputs, reply: Reply) -> Iterator[str]:
    if reply.status not in inputs.status:
        yield f"status {reply.status}"
    if not inputs.json:
        return
    try:
        body = json.loads(reply.text)
    except ValueError:
        yield "the answer is no JSON"
        return
    for path, wanted in inputs.json.items():
        found = _find(body, path.split("."))
        if found is None:
            yield f"{path} is missing"
        else:
            yield from (f"{path} {reason}" for reason in shortfalls(found[0], wanted))


def _find(node: object, path: list[str]) -> tuple[object] | None:
    """Return what stands at *path*, wrapped, for it may be null."""
    for name in path:
        match node:
            case dict() if name in node:
                node = node[name]
            case list() if name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            case _:
                return None
    return (node,)
