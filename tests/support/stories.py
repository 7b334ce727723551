"""Whole runs as they could have happened, to look at their reports and to test them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.domain.checklist import ItemName, PersonName, SignOff
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.observation import (
    Ended,
    Found,
    Heartbeat,
    MarkerWrite,
    Measurement,
    Sample,
    Walk,
    Watcher,
    WriteOutcome,
)
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import (
    ChecklistName,
    StepName,
)
from orchestrator.domain.report import Report
from orchestrator.domain.run import (
    CheckDone,
    DriverStarted,
    Entry,
    Event,
    ExitCode,
    GateRefused,
    InvariantsChecked,
    ItemLookedAt,
    ItemSigned,
    Outcome,
    RunEnded,
    UndoFinished,
    UndoIntended,
    WatchStarted,
)
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.folding import fold
from orchestrator.engine.gating import shown_for
from orchestrator.engine.reporting import report_of
from orchestrator.engine.transitions import gate_context
from orchestrator.engine.verification import step_intervals
from orchestrator.engine.watching import measure
from tests.support.builders import (
    RUN,
    a_journal,
    after,
    created,
    finished,
    intended,
    some_evidence,
)

NO_RETURN = ChecklistName("point-of-no-return")
LIN = PersonName("lin")
ONE_WRITER = "one-writable-member"
HOSTILE = "\x1b[31mred\x1b[0m \u202eevil\u202c <script>alert(1)</script> & \"quoted\" 'x' \x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A plan, the journal of one run of it, and what the canary saw."""

    plan: Plan
    entries: tuple[Entry, ...]
    samples: tuple[Sample, ...] = ()
    found: Found | None = None

    @property
    def measurement(self) -> Measurement | None:
        if not self.samples:
            return None
        return measure(self.samples, step_intervals(self.entries), found=self.found)

    def report(self) -> Report:
        return report_of(
            self.plan, self.entries, measurement=self.measurement, samples=self.samples
        )


class Journal:
    """Grows a journal event by event; time is in seconds after noon."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.now = 0.0
        self.told: list[tuple[float, Event]] = [(0.0, created(plan))]

    def tell(self, *events: Event, after_s: float = 0.002) -> None:
        for event in events:
            self.now += after_s
            self.told.append((self.now, event))

    @property
    def entries(self) -> tuple[Entry, ...]:
        return a_journal(*self.told)

    def watch(self) -> None:
        self.tell(DriverStarted(pid=4711, boot="b00t"))
        self.tell(WatchStarted(skew_s=0.0, skew_error_s=0.001), after_s=0.4)

    def look(self, gate: ChecklistName, item: str, evidence: Evidence) -> None:
        at = after(self.now)
        self.tell(
            ItemLookedAt(gate=gate, item=ItemName(item), evidence=replace(evidence, at=at)),
            after_s=0.03,
        )

    def sign(
        self,
        gate: ChecklistName,
        item: str,
        by: PersonName,
        *,
        comment: str = "",
        waives: bool = False,
    ) -> None:
        """Sign what is at hand, as the command line would."""
        state = fold(RunState(run=RUN), self.entries)
        checklist = self.plan.checklists[gate]
        wanted = checklist.find(item)
        assert wanted is not None
        shown = shown_for(
            gate_context(self.plan, state, gate),
            wanted,
            checklist.items,
            state.answers.get(gate, {}),
        )
        self.now += 21.4
        sign_off = SignOff(
            by=by,
            shown=shown.digest,
            verdict=Verdict.PASSED,
            at=after(self.now),
            comment=comment,
            is_waiver=waives,
        )
        self.tell(ItemSigned(gate=gate, item=ItemName(item), sign_off=sign_off))

    def step(self, name: str, seconds: float, summary: str) -> None:
        self.invariants(name, "before")
        self.tell(intended(name))
        self.tell(
            finished(name, evidence=some_evidence(summary=summary, at=after(self.now))),
            after_s=seconds,
        )
        self.invariants(name, "after")

    def fail(self, name: str, seconds: float, outcome: Outcome, summary: str) -> None:
        self.invariants(name, "before")
        self.tell(intended(name))
        verdict = Verdict.FAILED if outcome is Outcome.FAILED else Verdict.INCONCLUSIVE
        evidence = some_evidence(verdict, summary, at=after(self.now))
        self.tell(finished(name, outcome, evidence=evidence), after_s=seconds)

    def undo(self, name: str, seconds: float, summary: str) -> None:
        self.tell(UndoIntended(step=StepName(name)))
        self.tell(
            UndoFinished(
                step=StepName(name),
                outcome=Outcome.DONE,
                performed="exit code 0",
                evidence=some_evidence(summary=summary, at=after(self.now)),
            ),
            after_s=seconds,
        )

    def invariants(self, step: str, when: str) -> None:
        seen = some_evidence(summary="1 of 3 members is writable: db-a1", at=after(self.now))
        self.tell(InvariantsChecked(step=StepName(step), when=when, evidence={ONE_WRITER: seen}))

    def check(
        self,
        group: str,
        name: str,
        detail: str,
        *,
        verdict: Verdict = Verdict.PASSED,
        seconds: float = 0.0,
    ) -> None:
        self.tell(
            CheckDone(group=group, name=name, verdict=verdict, detail=detail, duration_s=seconds),
            after_s=seconds + 0.01,
        )

    def refuse(self, gate: ChecklistName, *obstacles: str, timed_out: bool = False) -> None:
        self.tell(GateRefused(gate=gate, obstacles=obstacles, timed_out=timed_out))

    def end(self, verdict: Verdict, exit_code: ExitCode, summary: str, action: str = "") -> None:
        self.tell(
            RunEnded(verdict=verdict, exit_code=exit_code, summary=summary, next_action=action),
            after_s=0.05,
        )


def canary(
    since: float,
    until: float,
    *,
    holds: Iterable[tuple[float, float]] = (),
    cuts: Iterable[tuple[float, float]] = (),
    blind: tuple[float, float] | None = None,
) -> tuple[Sample, ...]:
    """What a canary sees: writes every 10 ms, held in *holds*, refused in *cuts*."""
    held, cut = tuple(holds), tuple(cuts)
    writes = _writes(since, until, held, cut)
    samples: list[Sample] = [*writes, *_walks(since, until, held, cut)]
    beat = since
    while beat < until:
        samples += [Heartbeat(watcher=watcher, at=after(beat)) for watcher in Watcher]
        beat += 0.5
    if blind:
        lost = (after(blind[0]), after(blind[1]))
        samples = [s for s in samples if not lost[0] <= _time_of(s) <= lost[1]]
    return (*samples, Ended(at=after(until), why="stopped"))


def _time_of(sample: Sample) -> datetime:
    match sample:
        case MarkerWrite() | Walk():
            return sample.done
        case Heartbeat() | Ended():
            return sample.at
        case _:
            raise AssertionError(sample)


def _writes(
    since: float,
    until: float,
    holds: tuple[tuple[float, float], ...],
    cuts: tuple[tuple[float, float], ...],
) -> Iterator[MarkerWrite]:
    now, seq = since, 0
    while now < until:
        seq += 1
        sent = now
        hold = next((end for start, end in holds if start <= sent < end), None)
        is_cut = any(start <= sent < end for start, end in cuts)
        latency = 0.0021 + (seq * 37 % 19) / 10_000
        done = sent + latency if hold is None else hold + latency
        yield MarkerWrite(
            seq=seq,
            sent=after(sent),
            done=after(done),
            outcome=WriteOutcome.FAILED if is_cut else WriteOutcome.ACKNOWLEDGED,
            error="server closed the connection unexpectedly" if is_cut else "",
        )
        now = max(sent + 0.01, done)


def _walks(
    since: float,
    until: float,
    holds: tuple[tuple[float, float], ...],
    cuts: tuple[tuple[float, float], ...],
) -> Iterator[Walk]:
    now, number = since + 0.05, 0
    while now < until:
        number += 1
        hold = next((end for start, end in holds if start <= now < end), now)
        is_cut = any(start <= now < end for start, end in cuts)
        done = hold + 0.06
        yield Walk(
            number=number,
            sent=after(now),
            done=after(done),
            passed=not is_cut,
            since=after(now),
            action="place-the-order" if is_cut else "",
            error="503 Service Unavailable" if is_cut else "",
        )
        now = max(now + 0.2, done)


def everything_found(samples: Iterable[Sample]) -> Found:
    """The database has each acknowledged write once."""
    return {
        s.name: 1
        for s in samples
        if isinstance(s, MarkerWrite) and s.outcome is WriteOutcome.ACKNOWLEDGED
    }
