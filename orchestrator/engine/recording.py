"""The journal of one run in the hands of its driver: what it says, and what is added to it."""

from __future__ import annotations

from orchestrator.domain.errors import JournalConflict
from orchestrator.domain.run import DriverStarted, Event, RunId
from orchestrator.domain.state import RunState
from orchestrator.engine.folding import fold
from orchestrator.engine.ports import Journal


class Logbook:
    """Where a run stands, and the only way in which its driver writes to it.

    Signatures and requests of people are welcome at any time; another driver is the end of this
    one.
    """

    def __init__(self, journal: Journal, run: RunId) -> None:
        self._journal = journal
        self.state = fold(RunState(run=run), journal.read(run))

    def take_over(self, started: DriverStarted) -> None:
        """Become the driver of the run; whoever drove it before is superseded.

        Raises:
            JournalConflict: If yet another driver takes it at the same moment.
        """
        self.record(started)

    def catch_up(self) -> None:
        """Take in what others wrote meanwhile.

        Raises:
            JournalConflict: If another driver has taken the run.
        """
        newer = self._journal.read(self.state.run, after=self.state.seq)
        if any(isinstance(entry.event, DriverStarted) for entry in newer):
            raise JournalConflict(f"another driver has taken run {self.state.run}")
        self.state = fold(self.state, newer)

    def intend(self, *events: Event) -> None:
        """Write what follows from the state as it is; if others wrote meanwhile, nothing does.

        Raises:
            JournalConflict: Decide again.
        """
        written = self._journal.append(self.state.run, after=self.state.seq, events=events)
        self.state = fold(self.state, written)

    def record(self, *events: Event) -> None:
        """Write what has happened, behind whatever others wrote meanwhile.

        Raises:
            JournalConflict: If another driver has taken the run.
        """
        while True:
            try:
                return self.intend(*events)
            except JournalConflict:
                self.catch_up()
