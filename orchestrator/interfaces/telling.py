"""A run told on a terminal of 80 columns, one line an event: time, symbol, word, detail."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

import click

from orchestrator.domain.checklist import Checklist
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import StepName
from orchestrator.domain.run import (
    AbortRequested,
    CheckDone,
    DriverStarted,
    Entry,
    GateOpened,
    GateRefused,
    GateWaits,
    InvariantsChecked,
    ItemLookedAt,
    ItemSigned,
    ManualStepAnswered,
    Measured,
    Outcome,
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

MARKS: Mapping[str, tuple[str, str]] = {
    Verdict.PASSED: ("✓", "green"),
    Verdict.DEGRADED: ("▲", "yellow"),
    Verdict.INCONCLUSIVE: ("?", "magenta"),
    Verdict.FAILED: ("✗", "red"),
    Outcome.DONE: ("✓", "green"),
    Outcome.UNKNOWN: ("?", "magenta"),
    "begun": ("▸", "cyan"),
    "waits": ("◦", "yellow"),
    "noted": ("·", "bright_black"),
}
NARROWEST = 60
INDENT = 13


@dataclass(slots=True)
class Teller:
    """Turns entries into lines; remembers when a step began, to say how long it took."""

    plan: Plan
    begun: dict[StepName, datetime] = field(default_factory=dict)

    def tell(self, entry: Entry) -> Iterator[str]:  # noqa: C901 - one arm an event
        """Return the lines for *entry*; some events are not worth one."""
        event = entry.event
        match event:
            case RunCreated():
                what = f"{event.playbook} on {event.environment}, {event.mode}"
                yield from _line(entry, "begun", f"run {entry.run}", what)
            case DriverStarted() | InvariantsChecked():
                yield from _tell_invariants(entry)
            case WatchStarted():
                yield from _line(entry, Verdict.PASSED, "watching", "a synthetic user is at work")
            case WatchFailed():
                yield from _line(entry, Verdict.FAILED, "watching", event.reason)
            case ItemLookedAt():
                yield from _line(entry, event.evidence.verdict, event.item, event.evidence.summary)
            case ItemSigned():
                yield from _tell_signature(entry, event)
            case GateWaits() | GateOpened() | GateRefused():
                yield from self._tell_gate(entry, event)
            case StepIntended() | StepFinished() | UndoIntended() | UndoFinished():
                yield from self._tell_step(entry, event)
            case PriorStateChecked():
                yield from _line(
                    entry, event.evidence.verdict, "prior state", event.evidence.summary
                )
            case CheckDone():
                yield from _line(entry, event.verdict, f"{event.group} {event.name}", event.detail)
            case ManualStepAnswered():
                yield from _line(entry, event.verdict, event.step, f"{event.by}: {event.comment}")
            case Measured() | AbortRequested() | RetryRequested():
                yield from _tell_request(entry)
            case RunHeld():
                yield from _line(entry, Verdict.FAILED, "held", event.reason)
                yield from _line(entry, "waits", f"next, {event.owner}", event.next_action)
            case RunEnded():
                yield from _line(entry, event.verdict, event.verdict, event.summary)
            case _:
                assert_never(event)

    def _tell_gate(
        self, entry: Entry, event: GateWaits | GateOpened | GateRefused
    ) -> Iterator[str]:
        checklist: Checklist = self.plan.checklists[event.gate]
        match event:
            case GateOpened():
                yield from _line(entry, event.verdict, "gate open", checklist.title)
            case GateRefused():
                for obstacle in event.obstacles:
                    yield from _line(entry, Verdict.FAILED, "gate shut", obstacle)
            case GateWaits():
                until = f"until {event.until:%H:%M:%S} UTC"
                yield from _line(entry, "waits", "gate waits", f"for people, {until}")
                for obstacle in event.obstacles:
                    item = obstacle.split(":", 1)[0]
                    how = f"recover sign {entry.run} {item} --as NAME"
                    yield from _line(entry, "waits", item, how)

    def _tell_step(
        self, entry: Entry, event: StepIntended | StepFinished | UndoIntended | UndoFinished
    ) -> Iterator[str]:
        match event:
            case StepIntended():
                self.begun[event.step] = entry.at
                again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
                why = self.plan.step(event.step).why
                yield from _line(entry, "begun", event.step + again, why)
            case UndoIntended():
                self.begun[event.step] = entry.at
                yield from _line(entry, "begun", f"undo {event.step}", "taking it back")
            case StepFinished() | UndoFinished():
                undo = "undo " if isinstance(event, UndoFinished) else ""
                took = _seconds(self.begun.get(event.step, entry.at), entry.at)
                detail = f"{event.outcome} in {took}: {event.evidence.summary}"
                yield from _line(entry, event.outcome, undo + event.step, detail)


def closing_words(entry: Entry, report_file: str) -> Iterator[str]:
    """Return what a tired person reads last."""
    if isinstance(entry.event, RunEnded) and entry.event.next_action:
        yield f"next: {entry.event.next_action}"
    yield f"report: {report_file}"


def printable(text: str) -> str:
    """Return *text* with control and direction characters shown as escapes.

    What a target printed may hold terminal sequences; they must not act here.
    """
    return "".join(char if char.isprintable() or char == " " else _escape(char) for char in text)


def _escape(char: str) -> str:
    if char in "\n\t":
        return " "
    return f"<{unicodedata.name(char, f'U+{ord(char):04X}')}>"


def _tell_invariants(entry: Entry) -> Iterator[str]:
    event = entry.event
    if isinstance(event, InvariantsChecked):
        for name, evidence in event.evidence.items():
            if evidence.verdict is not Verdict.PASSED:
                yield from _line(entry, evidence.verdict, f"invariant {name}", evidence.summary)


def _tell_signature(entry: Entry, event: ItemSigned) -> Iterator[str]:
    sign_off = event.sign_off
    word = "waived" if sign_off.is_waiver else ("yes" if sign_off.verdict == "passed" else "no")
    comment = f": {sign_off.comment}" if sign_off.comment else ""
    yield from _line(entry, sign_off.verdict, event.item, f"{word}, {sign_off.by}{comment}")


def _tell_request(entry: Entry) -> Iterator[str]:
    match entry.event:
        case AbortRequested(by=by, reason=reason):
            yield from _line(entry, "waits", "abort", f"asked for by {by}: {reason}")
        case RetryRequested(by=by, step=step, reason=reason):
            yield from _line(entry, "waits", f"retry {step}", f"allowed by {by}: {reason}")
        case _:
            return


def _line(entry: Entry, mark: str, word: str, detail: str) -> Iterator[str]:
    symbol, colour = MARKS[mark]
    at = entry.at.astimezone()
    stamp = click.style(f"{at:%H:%M:%S}.{at.microsecond // 100000}", dim=True)
    head = f"{click.style(symbol, fg=colour)} {click.style(printable(word), bold=True)}"
    yield from _wrapped(f"{stamp} {head}", len(printable(word)) + INDENT, printable(detail))


def _wrapped(head: str, head_width: int, detail: str) -> Iterator[str]:
    width = max(NARROWEST, shutil.get_terminal_size().columns)
    if head_width + 2 + len(detail) <= width:
        yield f"{head}  {detail}" if detail else head
        return
    yield head
    indent = " " * INDENT
    yield from textwrap.wrap(
        detail, width - 1, initial_indent=indent, subsequent_indent=indent, max_lines=6
    )


def _seconds(start: datetime, end: datetime) -> str:
    seconds = (end - start).total_seconds()
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
