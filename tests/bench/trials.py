"""Trials: one switchover each, by us or by bare hands in turns, all watched by one instrument."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from threading import Event

from orchestrator.adapters.system import SystemClock
from orchestrator.domain.observation import Interval
from tests.bench.bare_hands import BareHands
from tests.bench.instrument import Instrument, Seen
from tests.bench.load import LoadReport, load, tables_for_load
from tests.bench.recover_command import RecoverCommand, RunTold
from tests.bench.roles import Roles, await_calm
from tests.bench.warm_ssh import WarmSsh
from tests.support.lab import Lab

BEFORE_S = 1.0
"""How long the service is watched in peace before anything happens to it."""
IDLE_S = 5.0


class Side(StrEnum):
    """Who switches over."""

    OURS = "recover"
    BARE = "bare hands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One switchover and what users had of it.

    Attributes:
        told: By whoever switched over.
        load: Nothing if no pgbench was at work.
    """

    side: Side
    direction: str
    seen: Seen
    told: RunTold
    load: LoadReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where trials take place.

    Attributes:
        name: Unlike that of any other course, since canaries and markers carry it.
    """

    name: str
    lab: Lab
    ssh: WarmSsh
    recover: RecoverCommand
    instrument: Instrument

    def run(self, rounds: int, *, is_loaded: bool) -> Iterator[Trial]:
        """Yield two trials a round; who begins, and so who goes which way, takes turns."""
        with tables_for_load(self.lab, self.ssh) if is_loaded else nullcontext():
            for number in range(rounds):
                sides = (Side.OURS, Side.BARE) if number % 2 == 0 else (Side.BARE, Side.OURS)
                for side in sides:
                    yield self._try(side, number, is_loaded=is_loaded)

    def idle(self, rounds: int) -> list[float]:
        """Return the longest gaps when nobody touches anything, in milliseconds."""
        clock, gaps = SystemClock(), []
        for number in range(rounds):
            await_calm(self.lab)
            name = f"{self.name}-idle-{number}"
            with self.instrument.watching(name):
                began = clock.now()
                Event().wait(IDLE_S)
                idle = Interval(began, clock.now())
            gaps.append(self.instrument.seen(name, idle).held_gap_ms)
        return gaps

    def _try(self, side: Side, number: int, *, is_loaded: bool) -> Trial:
        roles = await_calm(self.lab)
        with ExitStack() as stack:
            at_work = stack.enter_context(load(self.lab, self.ssh)) if is_loaded else None
            if side is Side.OURS:
                told = self.recover.switch_over(roles)
            else:
                burden = "loaded" if is_loaded else "quiet"
                told = self._switch_over_by_hand(roles, f"{self.name}-{burden}-{number}")
            return Trial(
                side=side,
                direction=f"{roles.primary} → {roles.target}",
                seen=self.instrument.seen(told.run, told.held),
                told=told,
                load=at_work.stop() if at_work else None,
            )

    def _switch_over_by_hand(self, roles: Roles, name: str) -> RunTold:
        with self.instrument.watching(name):
            Event().wait(BEFORE_S)
            watch = BareHands(self.lab, self.ssh).switch_over(roles)
        return RunTold(run=name, doubt="", moves=watch.moves)
