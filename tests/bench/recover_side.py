"""What happens to the lab's own primary, and what an engineer with `recover` does about it."""

from __future__ import annotations

from datetime import datetime

from orchestrator.adapters.system import SystemClock
from orchestrator.lab.faults.breaking import break_lab, heal_lab
from tests.bench.bench_lab import say
from tests.bench.failover_trials import Fault, SideName
from tests.bench.recover_command import Decision, RecoverCommand
from tests.bench.roles import await_calm
from tests.support.lab import Lab

FAULTS = {
    Fault.KILL: "primary-killed",
    Fault.HANG: "primary-frozen",
    Fault.BLACK_HOLE: "host-black-holed",
}
"""What the lab calls them; it sees to it that they happen."""


class RecoverSide:
    """Satisfies the protocol ``Side``."""

    name = SideName.OURS

    def __init__(self, lab: Lab, recover: RecoverCommand) -> None:
        self._lab = lab
        self._recover = recover
        self._clock = SystemClock()
        self._triggered: datetime | None = None
        self._run = ""

    def await_calm(self) -> str:
        """Return the primary once every standby streams from it."""
        return await_calm(self._lab).primary

    def strike(self, fault: Fault, primary: str) -> None:
        """Let *fault* happen to *primary*."""
        break_lab(self._lab.home, FAULTS[fault], primary, say)

    def answer(self) -> None:
        """Start the run, and sign what it asks for."""
        self._triggered = self._clock.now()
        self._run = self._recover.begin_failover()

    def heal(self, fault: Fault, primary: str) -> Decision:
        """Take the fault away; the run brings the member back."""
        assert self._triggered
        heal_lab(self._lab.home, FAULTS[fault], say)
        return self._recover.end_failover(self._run, triggered=self._triggered)
