"""A run told on a terminal, one line an event: time, sign, word, detail; a heading a stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

import click

from orchestrator.adapters.reports.words import duration
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import StepName
from orchestrator.domain.run import (
    AbortRequested,
    CheckDone,
    DriverStarted,
    Entry,
    Event,
    GateOpened,
    GateRefused,
    GateWaits,
    InvariantsChecked,
    ItemLookedAt,
    ItemSigned,
    ManualStepAnswered,
    Measured,
    PriorStateChecked,
    RetryRequested,
    RunCreated,
    RunEnded,
    RunHeld,
    StepFinished,
    StepIntended,
    UndoFinished,
    UndoIntended,
    WatchFailed,
    WatchStarted,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.interfaces.columns import columns_of, printable, screen_width, wrapped
from orchestrator.interfaces.marks import BEGUN, WAITS, mark

INDENT = " " * 13
"""As wide as the time, the sign and their blanks."""
MOST_LINES = 6
STEPS = "Steps"
TAKING_BACK = "Taking back"
VERIFICATION = "Verification"

Line = tuple[str, str, str]
"""Mark, word, detail."""


@dataclass(slots=True)
class Teller:
    """Turns entries into lines; remembers when a step began, and which stage was told last.

    Attributes:
        doing: What the run is busy with, in a few words; empty when that is not known.
    """

    plan: Plan
    doing: str = ""
    _begun: dict[StepName, datetime] = field(default_factory=dict)
    _stage: str = ""

    def tell(self, entry: Entry) -> Iterator[str]:
        """Yield the lines for *entry*; some events are not worth one."""
        lines = tuple(self._lines(entry))
        stage = self._stage_of(entry.event) if lines else ""
        if stage and stage != self._stage:
            self._stage = stage
            yield ""
            yield from (click.style(line, bold=True) for line in wrapped(printable(stage)))
        for line in lines:
            yield from _laid_out(entry.at, *line)
        self.doing = self._doing_after(entry.event)

    def _stage_of(self, event: Event) -> str:
        match event:
            case ItemLookedAt() | GateWaits() | GateOpened() | GateRefused():
                return f"Gate: {self.plan.checklists[event.gate].title}"
            case StepIntended():
                return self._steps_of(event.step)
            case UndoIntended() | PriorStateChecked():
                return TAKING_BACK
            case CheckDone():
                return VERIFICATION
            case _:
                return ""

    def _steps_of(self, step: StepName) -> str:
        child = self.plan.child_of(step)
        return f"{STEPS}: {self.plan.children[child].title}" if child else STEPS

    def _doing_after(self, event: Event) -> str:
        match event:
            case StepIntended():
                return event.step
            case UndoIntended():
                return f"undo {event.step}"
            case GateWaits():
                return f"people are asked, until {event.until.astimezone():%H:%M:%S}"
            case RunCreated() | DriverStarted():
                return "getting ready"
            case _:
                return self._stage

    def _lines(self, entry: Entry) -> Iterator[Line]:  # noqa: C901 - one arm an event
        event = entry.event
        match event:
            case RunCreated():
                what = f"{event.playbook} in {event.environment}, {event.mode}"
                yield BEGUN, f"run {entry.run}", f"{what}, asked for by {event.requester}"
            case WatchStarted():
                yield Verdict.PASSED, "watching", _what_watches(event)
            case WatchFailed():
                yield Verdict.FAILED, "watching", event.reason
            case ItemLookedAt():
                yield event.evidence.verdict, event.item, event.evidence.summary
            case GateWaits() | GateOpened() | GateRefused():
                yield from self._gate_lines(entry, event)
            case InvariantsChecked():
                for name, seen in event.evidence.items():
                    if seen.verdict is not Verdict.PASSED:
                        yield seen.verdict, f"invariant {name}", seen.summary
            case StepIntended() | UndoIntended() | StepFinished() | UndoFinished():
                yield from self._step_lines(entry, event)
            case PriorStateChecked():
                yield event.evidence.verdict, "prior state", event.evidence.summary
            case CheckDone():
                # Of a suite's test the name alone; its file is in the report.
                name = event.name.rpartition("::")[2]
                yield event.verdict, event.group, ": ".join(filter(None, (name, event.detail)))
            case ItemSigned() | ManualStepAnswered() | AbortRequested() | RetryRequested():
                yield _word_of_people(event)
            case RunHeld():
                yield WAITS, "held", event.reason
            case DriverStarted() | Measured() | RunEnded():
                return
            case _:
                assert_never(event)

    def _gate_lines(
        self, entry: Entry, event: GateWaits | GateOpened | GateRefused
    ) -> Iterator[Line]:
        match event:
            case GateOpened():
                is_clean = event.verdict is Verdict.PASSED
                yield event.verdict, "open", "" if is_clean else "with reservations"
            case GateRefused():
                why = "nobody answered in time" if event.timed_out else ""
                yield Verdict.FAILED, "stays shut", why
                for obstacle in event.obstacles:
                    yield Verdict.FAILED, "because", obstacle + self._remedy(event, obstacle)
            case GateWaits():
                until = f"until {event.until.astimezone():%H:%M:%S}"
                yield WAITS, "waits for people", until
                for item in map(_item_of, event.obstacles):
                    yield WAITS, item, f"recover sign {entry.run} {item} --as NAME"

    def _remedy(self, event: GateRefused, obstacle: str) -> str:
        item = self.plan.checklists[event.gate].find(_item_of(obstacle))
        return f". {item.remedy}" if item and item.remedy else ""

    def _step_lines(
        self, entry: Entry, event: StepIntended | UndoIntended | StepFinished | UndoFinished
    ) -> Iterator[Line]:
        match event:
            case StepIntended():
                self._begun[event.step] = entry.at
                step = self.plan.step(event.step)
                again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
                final = "Cannot be taken back. " if step.point_of_no_return else ""
                yield BEGUN, event.step + again, final + step.why
            case UndoIntended():
                self._begun[event.step] = entry.at
                yield BEGUN, f"undo {event.step}", "taking it back"
            case StepFinished() | UndoFinished():
                undo = "undo " if isinstance(event, UndoFinished) else ""
                took = duration((entry.at - self._begun.get(event.step, entry.at)).total_seconds())
                detail = f"{event.outcome} in {took}: {event.evidence.summary}"
                yield event.outcome, undo + event.step, detail


def _what_watches(started: WatchStarted) -> str:
    told = "a synthetic user is at work"
    if started.since is None:
        return told
    return (
        f"{told}; a standing watch tells of the time since {started.since.astimezone():%H:%M:%S}"
    )


def _item_of(obstacle: str) -> str:
    return obstacle.partition(":")[0]


def _word_of_people(
    event: ItemSigned | ManualStepAnswered | AbortRequested | RetryRequested,
) -> Line:
    match event:
        case ItemSigned(item=item, sign_off=sign_off):
            yes_or_no = "yes" if sign_off.verdict is Verdict.PASSED else "no"
            word = "waived" if sign_off.is_waiver else yes_or_no
            said = f": {sign_off.comment}" if sign_off.comment else ""
            return sign_off.verdict, item, f"{word}, {sign_off.by}{said}"
        case ManualStepAnswered():
            said = f": {event.comment}" if event.comment else ""
            return event.verdict, event.step, f"answered by {event.by}{said}"
        case AbortRequested():
            return WAITS, "abort", f"asked for by {event.by}: {event.reason}"
        case RetryRequested():
            return WAITS, f"retry {event.step}", f"allowed by {event.by}: {event.reason}"


def _laid_out(at: datetime, kind: str, word: str, detail: str) -> Iterator[str]:
    """Put the detail behind the word, or below it where it does not fit."""
    local = at.astimezone()
    stamp = click.style(f"{local:%H:%M:%S}.{local.microsecond // 100_000}", dim=True)
    word, detail = printable(word), printable(detail)
    if len(INDENT) + columns_of(word) > screen_width():
        word, detail = "", f"{word}  {detail}"
    head = f"{stamp} {mark(kind)} {click.style(word, bold=True)}"
    used = len(INDENT) + columns_of(word)
    if not detail:
        yield head
    elif used + 2 + columns_of(detail) <= screen_width():
        yield f"{head}  {detail}"
    else:
        yield head
        yield from wrapped(detail, INDENT, INDENT, most=MOST_LINES)
