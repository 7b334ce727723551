"""Writes numbered markers through the clients' entry, each number once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from orchestrator.adapters.canary.clock import RunClock, closes_before
from orchestrator.adapters.canary.lanes import HASTE_S, Lanes
from orchestrator.adapters.canary.record import Record
from orchestrator.adapters.canary.spec import MarkerSpec
from orchestrator.adapters.postgres_wire import Lost, Refused, Unanswered, Unreached, Wire
from orchestrator.domain.observation import Watcher, WriteOutcome

HASTY_IN_USUAL_CONNECTS = 3
"""A hasty connection may take so many times what the quickest one took."""
OUR_HASTE = "given up in haste"
"""Nothing was sent, and users would have waited on: that is no outcome, and not written down."""


@dataclass(slots=True, kw_only=True)
class MarkerWriter:
    """Writes markers until told to stop: one at a time, and more while one of them hangs."""

    run: str
    spec: MarkerSpec
    record: Record
    clock: RunClock
    _usual_connect_s: float = field(default=float("inf"), init=False)

    def write_until_closed(self, stop: int, *, first_seq: int) -> None:
        """Write from number *first_seq* on until the other end of the pipe *stop* is closed.

        Raises:
            RecordFull: If nothing more can be written down.
        """
        lanes = Lanes(self.spec.database, self._write_one)
        due, seq = time.monotonic(), first_seq
        while not closes_before(stop, due):
            self._beat()
            lanes.send(seq)
            lanes.await_turn(lambda: self._beat() or closes_before(stop, 0))
            seq += 1
            # A late one moves the rest: markers never come in a burst.
            due = max(due + self.spec.every_ms / 1000, time.monotonic())
        lanes.finish(self._beat)
        self.record.flush()

    def _beat(self) -> bool:
        """Give a sign of life, which ends nothing."""
        self.record.beat(Watcher.MARKERS)
        return False

    def _write_one(self, wire: Wire, seq: int, in_haste: bool) -> bool:  # noqa: FBT001 - a callback
        sent = time.monotonic()
        outcome, error = self._attempt(wire, seq, in_haste=in_haste)
        if error == OUR_HASTE:
            return False
        line: dict[str, object] = {
            "t": "marker",
            "seq": seq,
            "sent": self.clock.unix(sent),
            "done": self.clock.now(),
            "outcome": outcome,
        }
        self.record.add({**line, "error": error} if error else line)
        return outcome is WriteOutcome.ACKNOWLEDGED

    def _attempt(self, wire: Wire, seq: int, *, in_haste: bool) -> tuple[WriteOutcome, str]:
        statement = (
            f"insert into {self.spec.table} (run, seq, at)"  # noqa: S608 - checked in the spec
            f" values ('{self.run}', {seq}, clock_timestamp())"
        )
        try:
            self._connect(wire, self._connect_limit_s(in_haste=in_haste))
            wire.execute(statement, within_s=self.spec.deadline_s)
        except Unanswered as error:
            return WriteOutcome.FAILED, OUR_HASTE if in_haste else str(error)
        except (Unreached, Refused) as error:
            return WriteOutcome.FAILED, str(error)
        except Lost as error:
            return WriteOutcome.UNKNOWN, str(error)
        return WriteOutcome.ACKNOWLEDGED, ""

    def _connect(self, wire: Wire, within_s: float) -> None:
        begun = time.monotonic()
        if wire.ensure_connected(within_s=within_s):
            self._usual_connect_s = min(self._usual_connect_s, time.monotonic() - begun)

    def _connect_limit_s(self, *, in_haste: bool) -> float:
        """Return how long a connection may take: a hasty one must make room for the next."""
        hasty_s = max(HASTE_S, HASTY_IN_USUAL_CONNECTS * self._usual_connect_s)
        return min(hasty_s, self.spec.connect_s) if in_haste else self.spec.connect_s
