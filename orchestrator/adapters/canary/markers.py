"""Writes numbered markers through the clients' entry, each number once."""

from __future__ import annotations

import time
from dataclasses import dataclass

from orchestrator.adapters.canary.clock import RunClock, closes_before
from orchestrator.adapters.canary.record import Record
from orchestrator.adapters.canary.spec import MarkerSpec
from orchestrator.adapters.postgres_wire import Lost, Refused, Unreached, Wire
from orchestrator.domain.observation import Watcher, WriteOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerWriter:
    """Writes markers until told to stop, one at a time."""

    run: str
    spec: MarkerSpec
    record: Record
    clock: RunClock

    def write_until_closed(self, stop: int, *, first_seq: int) -> None:
        """Write from number *first_seq* on until the other end of the pipe *stop* is closed."""
        wire = Wire(self.spec.database, pulse=lambda: self.record.beat(Watcher.MARKERS))
        due, seq = time.monotonic(), first_seq
        while not closes_before(stop, due):
            self.record.add(self._write_one(wire, seq))
            self.record.beat(Watcher.MARKERS)
            seq += 1
            # A late one moves the rest: markers never come in a burst.
            due = max(due + self.spec.every_ms / 1000, time.monotonic())
        wire.close()
        self.record.flush()

    def _write_one(self, wire: Wire, seq: int) -> dict[str, object]:
        sent = time.monotonic()
        outcome, error = self._attempt(wire, seq)
        line: dict[str, object] = {
            "t": "marker",
            "seq": seq,
            "sent": self.clock.unix(sent),
            "done": self.clock.now(),
            "outcome": outcome,
        }
        return {**line, "error": error} if error else line

    def _attempt(self, wire: Wire, seq: int) -> tuple[WriteOutcome, str]:
        statement = (
            f"insert into {self.spec.table} (run, seq, at)"  # noqa: S608 - checked in the spec
            f" values ('{self.run}', {seq}, clock_timestamp())"
        )
        try:
            wire.ensure_connected(within_s=self.spec.connect_s)
            wire.execute(statement, within_s=self.spec.deadline_s)
        except (Unreached, Refused) as error:
            return WriteOutcome.FAILED, str(error)
        except Lost as error:
            return WriteOutcome.UNKNOWN, str(error)
        return WriteOutcome.ACKNOWLEDGED, ""
