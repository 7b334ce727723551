"""Walks the journey again and again; a walk that hangs does not stop the signs of life."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.adapters.canary.clock import RunClock, closes_before
from orchestrator.adapters.canary.record import BEAT_EVERY_S, Record
from orchestrator.adapters.canary.spec import WalkSpec
from orchestrator.adapters.journey_walker import JourneyWalker, WalkResult
from orchestrator.domain.observation import Watcher


@dataclass(slots=True, kw_only=True)
class Walking:
    """Walks until told to stop, in a thread, while its owner gives signs of life."""

    run: str
    spec: WalkSpec
    record: Record
    clock: RunClock
    failure: BaseException | None = None

    def walk_until_closed(self, stop: int, *, first_number: int) -> None:
        """Walk from *first_number* on until the other end of the pipe *stop* is closed.

        A walk under way is finished, within its deadline.

        Raises:
            RecordFull: If nothing more can be written down.
        """
        thread = threading.Thread(target=self._walk, args=[stop, first_number], daemon=True)
        thread.start()
        while thread.is_alive():
            self.record.beat(Watcher.WALKS)
            thread.join(BEAT_EVERY_S / 5)
        if self.failure is not None:
            raise self.failure

    def _walk(self, stop: int, number: int) -> None:
        try:
            self._walk_on(stop, number)
        except BaseException as failure:  # noqa: BLE001 - a thread's edge: its owner raises it
            self.failure = failure

    def _walk_on(self, stop: int, number: int) -> None:
        walker = JourneyWalker(self.spec.journey, self.spec.surroundings)
        due = time.monotonic()
        while not closes_before(stop, due):
            result = walker.walk(
                number,
                reference=f"canary-{self.run}-{number}",
                within_s=self.spec.deadline_s,
            )
            self.record.add(walk_line(number, result, self.clock))
            self.record.flush()
            number += 1
            due = max(due + self.spec.every_ms / 1000, time.monotonic())
        walker.close()


def walk_in_a_row(run: str, spec: WalkSpec, *, times: int) -> Iterator[dict[str, object]]:
    """Walk *times* in a row, now, each as one line; a failed walk does not end the row."""
    clock = RunClock.read()
    walker = JourneyWalker(spec.journey, spec.surroundings)
    row = secrets.token_hex(4)
    for number in range(1, times + 1):
        result = walker.walk(
            number, reference=f"walk-{run}-{row}-{number}", within_s=spec.deadline_s
        )
        yield walk_line(number, result, clock)
    walker.close()


def walk_line(number: int, result: WalkResult, clock: RunClock) -> dict[str, object]:
    """Return what is written down of one walk."""
    line: dict[str, object] = {
        "t": "walk",
        "n": number,
        "sent": clock.unix(result.sent),
        "since": clock.unix(result.since),
        "done": clock.unix(result.done),
        "outcome": "passed" if result.passed else "failed",
        "receipts": list(result.receipts),
        "actions_ms": {name: round(took * 1000, 1) for name, took in result.took_s.items()},
    }
    return line if result.passed else {**line, "action": result.action, "error": result.error}
