"""What happens to Patroni's primary: each fault done, seen and undone. Nobody is asked."""

from __future__ import annotations

from orchestrator.lab.faults.breaking import break_lab, heal_lab
from tests.bench.bench_lab import say
from tests.bench.failover_trials import Fault, SideName
from tests.bench.patroni import Patroni
from tests.bench.roles import LabUnfit
from tests.support.lab import Lab

_BLACK_HOLE = "host-black-holed"


class PatroniSide:
    """Satisfies the protocol ``Side``."""

    name = SideName.PATRONI

    def __init__(self, lab: Lab, cluster: Patroni) -> None:
        self._lab = lab
        self._cluster = cluster

    def await_calm(self) -> str:
        """Return the leader once all members run and a standby is named synchronous."""
        return self._cluster.await_whole()

    def strike(self, fault: Fault, primary: str) -> None:
        """Let *fault* happen to *primary*.

        Raises:
            FaultNotSeen: If the black hole cannot be seen.
            LabUnfit: If another cannot be seen.
        """
        match fault:
            case Fault.KILL:
                self._signal(primary, "KILL", leaves="")
            case Fault.HANG:
                self._signal(primary, "STOP", leaves="TZ")
            case Fault.BLACK_HOLE:
                break_lab(self._lab.home, _BLACK_HOLE, primary, say)

    def answer(self) -> None:
        """Leave it to Patroni."""

    def heal(self, fault: Fault, primary: str) -> None:
        """Undo it, and leave the rest to Patroni."""
        match fault:
            case Fault.KILL:
                self._cluster.start_member(primary)
            case Fault.HANG:
                self._cluster.signal(primary, "CONT")
            case Fault.BLACK_HOLE:
                heal_lab(self._lab.home, _BLACK_HOLE, say)

    def _signal(self, name: str, signal: str, *, leaves: str) -> None:
        """Send *signal* to every process, and see that only those in the states *leaves* are."""
        self._cluster.signal(name, signal)
        states = self._cluster.states(name)
        if bool(states) != bool(leaves) or any(state[0] not in leaves for state in states):
            raise LabUnfit(f"SIG{signal} did not do its work on {name}: {states}")
