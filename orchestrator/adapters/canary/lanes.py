"""Several writes under way at once: each on a connection of its own, with a thread that waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue

from orchestrator.adapters.postgres_wire import Wire

MOST_IN_FLIGHT = 4
"""A write without an answer may keep a session of the server busy: never more than these."""
UNEASY_AFTER_S = 0.3
"""What is unanswered for so long may hang, and so say nothing of the service any more."""
HASTE_S = 0.05
"""Time between two tries while one hangs, and so how late the end of an outage is seen."""
SLICE_S = 0.05

Write = Callable[[Wire, int, bool], bool]
"""Write the marker of that number, in haste or not; tell whether it was acknowledged."""


class Lanes:
    """Gives each marker to a free connection: in peace always to the same one.

    Args:
        database: libpq's connection parameters.
        write: What a lane does with a number, in its own thread.
    """

    def __init__(self, database: Mapping[str, str | int], write: Write) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._idle = [_Lane(database, self) for _ in range(MOST_IN_FLIGHT)]
        self._busy: list[_Lane] = []
        self._newest_sent = 0.0
        self._is_uneasy = False
        self._failure: BaseException | None = None

    def send(self, seq: int) -> None:
        """Let the best free lane write number *seq*; `await_turn` says when there is one."""
        with self._changed:
            if not self._busy and not self._is_uneasy:
                self._hang_up_spare_ones()
            lane = self._idle.pop()
            # One waits as long as users would: what only hasty ones meet is written down by none.
            lane.in_haste = not all(other.in_haste for other in self._busy)
            self._busy.append(lane)
            self._newest_sent = time.monotonic()
        lane.jobs.put(seq)

    def await_turn(self, meanwhile: Callable[[], bool]) -> None:
        """Wait until the newest write is answered, or hangs and there is a lane to spare.

        Args:
            meanwhile: Called at least every 50 ms; ends the waiting when it says so.

        Raises:
            RecordFull: If a lane could not write down what it saw.
        """
        newest = self._busy_newest()
        self._wait_until(lambda: newest not in self._busy or self._may_send_another(), meanwhile)

    def finish(self, meanwhile: Callable[[], bool]) -> None:
        """Wait until every write under way is answered or past its deadline, and hang up."""
        self._wait_until(lambda: not self._busy, meanwhile)
        for lane in self._idle:
            lane.wire.close()

    def take_back(self, lane: _Lane, *, acknowledged: bool) -> None:
        """Note that *lane* is free again; one that got through is the first to be used."""
        with self._changed:
            self._busy.remove(lane)
            self._idle.insert(len(self._idle) if acknowledged else 0, lane)
            self._is_uneasy = self._is_uneasy and not acknowledged
            self._changed.notify()

    def fail(self, failure: BaseException) -> None:
        """Note why nothing more can be written down."""
        with self._changed:
            self._failure = failure
            self._changed.notify()

    def run(self, lane: _Lane) -> None:
        """Write what comes, in the thread of *lane*."""
        try:
            while True:
                seq = lane.jobs.get()
                self.take_back(lane, acknowledged=self._write(lane.wire, seq, lane.in_haste))
        except BaseException as failure:  # noqa: BLE001 - a thread's edge: its owner raises it
            self.fail(failure)

    def _busy_newest(self) -> _Lane | None:
        with self._changed:
            return self._busy[-1] if self._busy else None

    def _may_send_another(self) -> bool:
        age_s = time.monotonic() - self._newest_sent
        self._is_uneasy = self._is_uneasy or age_s >= UNEASY_AFTER_S
        return self._is_uneasy and age_s >= HASTE_S and bool(self._idle)

    def _wait_until(self, holds: Callable[[], bool], meanwhile: Callable[[], bool]) -> None:
        is_over = False
        with self._changed:
            while not (holds() or is_over):
                if self._failure is not None:
                    raise self._failure
                self._changed.wait(SLICE_S)
                is_over = meanwhile()
            if self._failure is not None:
                raise self._failure

    def _hang_up_spare_ones(self) -> None:
        for lane in self._idle[:-1]:
            lane.wire.close()


class _Lane:
    """One connection, and the thread that waits for its answers."""

    def __init__(self, database: Mapping[str, str | int], lanes: Lanes) -> None:
        self.wire = Wire(database)
        self.in_haste = False
        self.jobs: SimpleQueue[int] = SimpleQueue()
        threading.Thread(target=lanes.run, args=[self], daemon=True).start()
