"""Probe ``tcp``: does somebody listen on a port? Says nothing about whether they work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import with_config

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.probes.judgement import Judgement, inconclusive, look_once
from orchestrator.adapters.targets import host_of, port_on
from orchestrator.adapters.tcp import dial
from orchestrator.adapters.trouble import Troubled, TroubleKind
from orchestrator.domain.environment import Environment
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Clock


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class TcpProbeInputs:
    """One connect.

    Attributes:
        on: A host, or a member as ``service/host``.
        port: A number, or the inventory variable that holds it.
        expect: ``refused`` passes only if the machine itself says that nothing listens.
    """

    on: str
    port: int | str
    expect: Literal["open", "refused"] = "open"


class TcpProber:
    """Looks by connecting from the controller."""

    def __init__(self, environment: Environment, clock: Clock) -> None:
        self._environment = environment
        self._clock = clock

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Connect once and hang up."""
        inputs = parse(TcpProbeInputs, probe.inputs)
        deadline = Deadline.after(within)
        return look_once(self._clock, lambda: self._look(inputs, deadline))

    def _look(self, inputs: TcpProbeInputs, deadline: Deadline) -> Judgement:
        host = host_of(self._environment, inputs.on)
        port = port_on(host, inputs.port)
        wants_open = inputs.expect == "open"
        try:
            dial(host.reached_at, port, deadline).close()
        except Troubled as error:
            if error.trouble.kind is not TroubleKind.REFUSED:
                return inconclusive(error.trouble)
            verdict = Verdict.FAILED if wants_open else Verdict.PASSED
            return Judgement(verdict=verdict, summary=f"{host.name}: {error.trouble}")
        verdict = Verdict.PASSED if wants_open else Verdict.FAILED
        return Judgement(verdict=verdict, summary=f"{host.name}: port {port} is open")
