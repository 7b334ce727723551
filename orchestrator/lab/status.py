"""What a look at the lab shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """One host as seen from the controller.

    Attributes:
        addresses: The one the controller uses first.
        state: ``up`` if its SSH server answers, else ``down``.
        runs: What answers on it, in words.
    """

    name: str
    site: str
    addresses: tuple[str, ...]
    state: str
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabStatus:
    """The lab as seen from the controller; with no problems, everything answers.

    Attributes:
        kind: ``full``, ``loopback`` or ``none``.
        environment: The environment that describes it to playbooks, or empty.
        faults: Those that were made and not yet healed, in words.
    """

    kind: str
    environment: str
    hosts: tuple[HostStatus, ...] = ()
    problems: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def silent(self) -> tuple[str, ...]:
        """The hosts that let nobody in."""
        return tuple(host.name for host in self.hosts if host.state != "up")


NO_LAB = LabStatus(kind="none", environment="")
