"""Failovers: a fault of the primary each, all watched by one instrument, whoever answers it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Event
from typing import Protocol

from orchestrator.adapters.canary_over_ssh import SshCanary
from orchestrator.adapters.system import SystemClock
from orchestrator.domain.observation import (
    Interval,
    MarkerWrite,
    Measurement,
    Sample,
    Watcher,
    WriteOutcome,
    Writes,
)
from orchestrator.engine.watching import measure
from tests.bench.instrument import Instrument, gap_across
from tests.bench.recover_command import Decision
from tests.bench.roles import LabUnfit
from tests.bench.trials import BEFORE_S

AFTER_S = 1.0
"""How long the service is watched once all is well again."""
SERVED_WITHIN_S = 120.0
LOOK_EVERY_S = 1.0
"""Rarely: each look starts a program on a machine that has other things to do."""


class Fault(StrEnum):
    """What happens to a primary."""

    KILL = "kill"
    HANG = "hang"
    BLACK_HOLE = "black-hole"


class SideName(StrEnum):
    """Who there is."""

    OURS = "recover"
    PATRONI = "Patroni"


class Side(Protocol):
    """Who is to keep the service up."""

    @property
    def name(self) -> SideName:
        """Who it is."""
        ...

    def await_calm(self) -> str:
        """Return the primary once every member is there."""
        ...

    def strike(self, fault: Fault, primary: str) -> None:
        """Let *fault* happen to *primary*, and see that it has happened."""
        ...

    def answer(self) -> None:
        """Do what people have to do about it."""
        ...

    def heal(self, fault: Fault, primary: str) -> Decision | None:
        """Take the fault away, let the member come back, and tell what people decided."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One failover and what users had of it.

    Attributes:
        outage: From the last write acknowledged before the fault to the first one after it.
        decision: Nothing where nobody is asked.
        doubts: Why these numbers may be wrong.
    """

    name: str
    side: SideName
    fault: Fault
    direction: str
    outage: Interval
    writes: Writes
    decision: Decision | None
    doubts: tuple[str, ...]


def try_failover(name: str, fault: Fault, side: Side, instrument: Instrument) -> Trial:
    """Let *fault* happen to the primary, and watch until every member is back.

    *name* is unlike that of any other trial, since markers carry it.

    Raises:
        LabUnfit: If the service does not come back.
    """
    clock = SystemClock()
    primary = side.await_calm()
    with instrument.watching(name) as canary:
        Event().wait(BEFORE_S)
        began = clock.now()
        side.strike(fault, primary)
        struck = Interval(began, clock.now())
        side.answer()
        _await_service(canary, struck.end)
        decision = side.heal(fault, primary)
        successor = side.await_calm()
        Event().wait(AFTER_S)
    samples, found = instrument.samples(name), instrument.count(name)
    measured = measure(samples, (), found=found, watchers=(Watcher.MARKERS,), run=name)
    return Trial(
        name=name,
        side=side.name,
        fault=fault,
        direction=f"{primary} → {successor}",
        outage=gap_across(samples, struck),
        writes=measured.writes,
        decision=decision,
        doubts=_doubts(decision, measured),
    )


def _doubts(decision: Decision | None, measured: Measurement) -> tuple[str, ...]:
    own = (decision.doubt,) if decision and decision.doubt else ()
    return (*own, *measured.doubts)


def is_served_since(samples: Iterable[Sample], moment: datetime) -> bool:
    """Tell whether a write that was sent after *moment* has been acknowledged."""
    return any(
        sample.outcome is WriteOutcome.ACKNOWLEDGED and sample.sent > moment
        for sample in samples
        if isinstance(sample, MarkerWrite)
    )


def _await_service(canary: SshCanary, moment: datetime) -> None:
    until = time.monotonic() + SERVED_WITHIN_S
    while not is_served_since(canary.samples(), moment):
        if time.monotonic() > until:
            raise LabUnfit(f"no write was acknowledged within {SERVED_WITHIN_S:g} s")
        Event().wait(LOOK_EVERY_S)
