"""One run, as every interface handles it: read it, answer it, have it driven, report it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from orchestrator.bootstrap import runs
from orchestrator.domain.checklist import ChecklistItem, ItemName, PersonName
from orchestrator.domain.errors import (
    DriverLost,
    JournalConflict,
    RequestMalformed,
    RequestRefused,
)
from orchestrator.domain.plan import Plan
from orchestrator.domain.report import Report
from orchestrator.domain.run import Entry, Event, ExitCode, RunCreated, RunId
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine import requesting
from orchestrator.engine.folding import fold
from orchestrator.settings import Settings

BETWEEN_GLANCES = timedelta(milliseconds=50)
LAST_DEEDS = timedelta(seconds=5)
LATEST = "latest"


class RunDesk:
    """Everything that people and pages do with one run."""

    def __init__(self, settings: Settings, run: str) -> None:
        self._settings = settings
        self._journal = runs.open_journal(settings)
        self.clock = runs.CLOCK
        self.run = self._find(run)
        self._folder = runs.folder_of(settings, self.run)

    @cached_property
    def plan(self) -> Plan:
        """The frozen plan, checked against the digest that was shown."""
        return self._folder.plan(self.created.plan_digest)

    @cached_property
    def created(self) -> RunCreated:
        """What was asked for, by whom."""
        created = self.state().created
        if created is None:
            raise RequestRefused(f"run {self.run} was never created")
        return created

    def entries(self, *, after: int = 0) -> Sequence[Entry]:
        """Return the entries behind number *after*."""
        return self._journal.read(self.run, after=after)

    def state(self) -> RunState:
        """Return where the run stands."""
        return fold(RunState(run=self.run), self.entries())

    def is_driven(self) -> bool:
        """Tell whether a living process drives it."""
        return self._folder.has_driver()

    def is_at_rest(self) -> bool:
        """Tell whether it has ended or is held, so that nothing happens by itself."""
        state = self.state()
        return bool(state.ended or state.held)

    def exit_code(self) -> ExitCode:
        """Return how the run ended or is held; unknown while it is under way."""
        state = self.state()
        word = state.ended or state.held
        return word.exit_code if word else ExitCode.UNKNOWN

    def last_words(self) -> Sequence[str]:
        """Return the last lines that its drivers printed; well-behaved ones are silent."""
        return self._folder.last_words()

    def await_question(self, within: timedelta) -> None:
        """Wait until the run asks people for something, has ended, or the time is over."""
        until = self.clock.monotonic() + within.total_seconds()
        while self.clock.monotonic() < until:
            state = self.state()
            if state.ended or self.items_that_wait():
                return
            self.clock.pause(BETWEEN_GLANCES)

    def items_that_wait(self) -> tuple[ItemName, ...]:
        """Return the items, or the manual step, that people can answer now."""
        state = self.state()
        manual = requesting.manual_step(self.plan, state)
        if manual:
            return (ItemName(manual.name),)
        return requesting.items_to_sign(self.plan, state, now=self.clock.now())

    def items_for(self, by: PersonName) -> tuple[ItemName, ...]:
        """Return the items that wait for a role of *by*.

        Raises:
            RequestRefused: If there is none.
        """
        person = self.plan.environment.people.get(by)
        roles = person.roles if person else ()
        mine = tuple(i for i in self.items_that_wait() if self._role_for(i) in roles)
        if not mine:
            raise RequestRefused(f"run {self.run} does not wait for an answer of {by} now")
        return mine

    def question(self, item: ItemName) -> ChecklistItem:
        """Return the item of that name at the waiting gate.

        Raises:
            RequestRefused: If no gate waits, or it has no such item.
        """
        gate = requesting.waiting_gate(self.plan, self.state())
        found = self.plan.checklists[gate].find(item) if gate else None
        if found is None:
            raise RequestRefused(f"run {self.run} does not ask for {item} now")
        return found

    def sign(self, item: str, *, by: PersonName, verdict: Verdict, comment: str) -> None:
        """Answer *item*, or the manual step of that name."""
        if requesting.manual_step(self.plan, self.state()) is None:
            return self._answer(item, by, verdict, comment, waives=False)
        self._append(
            lambda state: (
                requesting.answer_manual_step(
                    self.plan, state, item, by=by, verdict=verdict, comment=comment
                ),
            )
        )
        return None

    def waive(self, item: str, *, by: PersonName, reason: str) -> None:
        """Accept the absence of a soft *item*."""
        self._answer(item, by, Verdict.PASSED, reason, waives=True)

    def abort(self, *, by: PersonName, reason: str) -> None:
        """Ask for an abort; a held run turns back if it can, or ends, once its canary was read."""
        was_held = self.state().held is not None
        self._append(lambda state: (requesting.abort(self.plan, state, by=by, reason=reason),))
        if was_held:
            self._await_driver_gone()
        if not self.is_driven():
            self.start_driver()

    def retry(self, step: str, *, by: PersonName, reason: str) -> None:
        """Let a held run try *step* again."""
        self._append(
            lambda state: (requesting.retry(self.plan, state, step, by=by, reason=reason),)
        )

    def start_driver(self) -> None:
        """Start a process that drives the run.

        Raises:
            RequestRefused: If it has one, or has ended.
            DriverLost: If the process ended without bringing the run to rest.
        """
        state = self.state()
        if state.ended:
            raise RequestRefused(f"run {self.run} has ended: {state.ended.summary}")
        if self.is_driven():
            raise RequestRefused(f"run {self.run} has a driver already")
        runs.spawn_driver(self._settings, self.run)
        if not self.is_driven() and not self.is_at_rest():
            said = "; ".join(self.last_words()) or "it said nothing"
            raise DriverLost(
                f"the driver of run {self.run} ended at once ({said}); "
                f"`recover resume {self.run}` starts another"
            )

    def drive(self) -> None:
        """Drive the run in this process, to its end or to a hold; then write the report."""
        from orchestrator.bootstrap.driving import drive_run

        plan = self.plan
        with self._folder.driving():
            drive_run(self._settings, plan, self.run)
            self.write_report()

    def write_report(self) -> Path:
        """Write the HTML report beside the journal, and return its path."""
        return self._folder.write("report.html", self.report("html"))

    def report(self, form: str) -> str:
        """Render the report from the journal, as ``html``, ``json`` or ``junit``."""
        from orchestrator.bootstrap.reports import render

        return render(self.recount(), form)

    def recount(self) -> Report:
        """Return what the journal and the canary tell of the run, up to now."""
        return runs.recount(self.plan, self.entries(), self._folder)

    def _await_driver_gone(self) -> None:
        """Wait for one that has held the run and only has its report left to write."""
        until = self.clock.monotonic() + LAST_DEEDS.total_seconds()
        while self.is_driven() and self.clock.monotonic() < until:
            self.clock.pause(BETWEEN_GLANCES)

    def _role_for(self, item: ItemName) -> str:
        manual = requesting.manual_step(self.plan, self.state())
        return str(manual.action.inputs["role"]) if manual else self.question(item).role

    def _find(self, run: str) -> RunId:
        known = self._journal.runs()
        if run == LATEST and known:
            return known[0]
        if run in known:
            return RunId(run)
        newest = f"the newest is {known[0]}" if known else "there is none yet"
        raise RequestMalformed(f"there is no run {run}; {newest}")

    def _answer(
        self, item: str, by: PersonName, verdict: Verdict, comment: str, *, waives: bool
    ) -> None:
        self._append(
            lambda state: (
                requesting.sign(
                    self.plan,
                    state,
                    item,
                    by=by,
                    verdict=verdict,
                    comment=comment,
                    waives=waives,
                    now=self.clock.now(),
                ),
            )
        )

    def _append(self, decide: Callable[[RunState], tuple[Event, ...]]) -> None:
        """Decide on the newest state and write; decide again if others wrote meanwhile."""
        while True:
            state = self.state()
            try:
                self._journal.append(self.run, after=state.seq, events=decide(state))
            except JournalConflict:
                continue
            return
