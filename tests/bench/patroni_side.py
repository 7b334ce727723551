"""What happens to Patroni's primary: each fault done, seen and undone. Nobody is asked."""

from __future__ import annotations

import socket
import subprocess

from orchestrator.lab.network import namespace_of
from tests.bench.failover_trials import Fault, SideName
from tests.bench.patroni import Patroni
from tests.bench.roles import LabUnfit
from tests.support.lab import Lab

REACHED_WITHIN_S = 0.5
DROP = """
table inet bench_black_hole {
    chain coming { type filter hook input priority -300; iifname != "lo" drop; }
    chain going { type filter hook output priority -300; oifname != "lo" drop; }
}
"""
LET_PASS = "delete table inet bench_black_hole"


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
            LabUnfit: If it cannot be seen to have happened.
        """
        match fault:
            case Fault.KILL:
                self._cluster.signal(primary, "KILL")
            case Fault.HANG:
                self._cluster.signal(primary, "STOP")
            case Fault.BLACK_HOLE:
                _filter(primary, DROP)
        if not self._has_happened(fault, primary):
            raise LabUnfit(f"{fault} did not happen to {primary}")

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
                _filter(primary, LET_PASS)

    def _has_happened(self, fault: Fault, primary: str) -> bool:
        match fault:
            case Fault.KILL:
                return not self._cluster.states(primary)
            case Fault.HANG:
                states = self._cluster.states(primary)
                return bool(states) and all(state[0] in "TZ" for state in states)
            case Fault.BLACK_HOLE:
                return not self._is_reached(primary)

    def _is_reached(self, name: str) -> bool:
        address = (self._lab.host(name).management, self._lab.blueprint.ports.ssh)
        try:
            socket.create_connection(address, timeout=REACHED_WITHIN_S).close()
        except TimeoutError:
            return False
        return True


def _filter(name: str, rules: str) -> None:
    enter = ["ip", "netns", "exec", namespace_of(name)]
    subprocess.run([*enter, "nft", "-f", "-"], input=rules, text=True, check=True)
