"""What was not as rehearsed, and what nobody has verified, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.domain.observation import Blindness, Measurement
from orchestrator.domain.plan import BoundInvariant, Plan
from orchestrator.domain.record import (
    Deviation,
    DeviationKind,
    GateRecord,
    InvariantRecord,
    Progress,
    StepRecord,
)
from orchestrator.domain.run import (
    AbortRequested,
    CheckDone,
    DriverStarted,
    Entry,
    InvariantsChecked,
    ItemSigned,
    Measured,
    RetryRequested,
    RunHeld,
    StepIntended,
    UndoFinished,
    WatchFailed,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.reporting.selecting import newest_of, select


def find_deviations(
    plan: Plan,
    entries: Sequence[Entry],
    gates: Sequence[GateRecord],
    measurement: Measurement | None,
) -> tuple[Deviation, ...]:
    """Return everything that was not as rehearsed: first what the plan fixed, then by time."""
    happened = [
        *_interventions(entries),
        *_degraded_items(gates),
        *_degraded_checks(entries),
        *_blind(measurement.blind if measurement else ()),
    ]
    dated = [(d.at, d) for d in happened if d.at is not None]
    return (*_chosen(plan), *(d for _, d in sorted(dated, key=lambda pair: pair[0])))


def check_invariants(plan: Plan, entries: Sequence[Entry]) -> tuple[InvariantRecord, ...]:
    """Return every invariant with what was seen around the steps."""
    return tuple(_recount_invariant(invariant, entries) for invariant in plan.invariants)


def find_unverified(
    plan: Plan,
    entries: Sequence[Entry],
    steps: Sequence[StepRecord],
    invariants: Sequence[InvariantRecord],
    measurement: Measurement | None,
) -> tuple[str, ...]:
    """Return what nobody has looked at or could see; a run that changed nothing owes nothing."""
    if not any(step.attempts for step in steps):
        return ()
    return (
        *_unknown_steps(steps),
        *_unmeasured(entries, measurement),
        *_unseen_invariants(invariants),
        *_unchecked(plan, entries),
    )


def _chosen(plan: Plan) -> Iterator[Deviation]:
    for name, value in plan.parameters.items():
        usual = plan.defaults.get(name, value)
        if value != usual:
            what = f"{name} is {value}; the playbook would have taken {usual}"
            yield Deviation(kind=DeviationKind.PARAMETER, what=what)


def _interventions(entries: Sequence[Entry]) -> Iterator[Deviation]:
    """Yield what people and the engine did beyond the plain course of the playbook."""
    yield from _waivers(entries)
    yield from _retries(entries)
    yield from _undos(entries)
    for hold in select(entries, RunHeld):
        yield Deviation(kind=DeviationKind.HOLD, what=hold.event.reason, at=hold.at)
    for abort in select(entries, AbortRequested):
        what = f"aborted by {abort.event.by}: {abort.event.reason or 'no reason given'}"
        yield Deviation(kind=DeviationKind.ABORT, what=what, at=abort.at)
    for driver in tuple(select(entries, DriverStarted))[1:]:
        what = f"taken up by another process ({driver.event.pid})"
        yield Deviation(kind=DeviationKind.RESUMED, what=what, at=driver.at)
    for blind in select(entries, WatchFailed):
        what = f"the canary did not watch: {blind.event.reason}"
        yield Deviation(kind=DeviationKind.BLIND, what=what, at=blind.at)


def _waivers(entries: Sequence[Entry]) -> Iterator[Deviation]:
    for told in select(entries, ItemSigned):
        signed = told.event
        if signed.sign_off.is_waiver:
            what = f"{signed.item} waived by {signed.sign_off.by}: {signed.sign_off.comment}"
            yield Deviation(kind=DeviationKind.WAIVER, what=what, at=told.at)


def _retries(entries: Sequence[Entry]) -> Iterator[Deviation]:
    for asked in select(entries, RetryRequested):
        what = f"{asked.event.by} let {asked.event.step} be tried again: {asked.event.reason}"
        yield Deviation(kind=DeviationKind.RETRY, what=what, at=asked.at)
    for begun in select(entries, StepIntended):
        if begun.event.attempt > 1:
            what = f"{begun.event.step} was tried again, attempt {begun.event.attempt}"
            yield Deviation(kind=DeviationKind.RETRY, what=what, at=begun.at)


def _undos(entries: Sequence[Entry]) -> Iterator[Deviation]:
    for told in select(entries, UndoFinished):
        what = f"{told.event.step} was taken back: {told.event.outcome}"
        yield Deviation(kind=DeviationKind.UNDO, what=what, at=told.at)


def _degraded_items(gates: Sequence[GateRecord]) -> Iterator[Deviation]:
    for gate in gates:
        for item in gate.items:
            is_waived = any(signature.is_waiver for signature in item.signatures)
            if item.verdict is Verdict.DEGRADED and not is_waived:
                what = f"{gate.gate}: {item.item}: {item.answer}"
                yield Deviation(kind=DeviationKind.DEGRADED, what=what, at=gate.reached)


def _degraded_checks(entries: Sequence[Entry]) -> Iterator[Deviation]:
    for told in select(entries, CheckDone):
        check = told.event
        if check.verdict is Verdict.DEGRADED:
            what = f"{check.group} {check.name}: {check.detail}"
            yield Deviation(kind=DeviationKind.DEGRADED, what=what, at=told.at)


def _blind(periods: Sequence[Blindness]) -> Iterator[Deviation]:
    for period in periods:
        length = (period.end - period.start).total_seconds()
        what = f"the canary's {period.watcher} did not look for {length:.1f} s"
        yield Deviation(kind=DeviationKind.BLIND, what=what, at=period.start)


def _recount_invariant(invariant: BoundInvariant, entries: Sequence[Entry]) -> InvariantRecord:
    name = invariant.invariant
    looks = [
        (told.event, told.event.evidence[name])
        for told in select(entries, InvariantsChecked)
        if name in told.event.evidence
    ]
    return InvariantRecord(
        invariant=name,
        why=invariant.why,
        verdict=Verdict.worst_of(evidence.verdict for _, evidence in looks),
        looks=len(looks),
        exceptions=tuple(
            f"{checked.when} {checked.step}: {evidence.summary}"
            for checked, evidence in looks
            if evidence.verdict is not Verdict.PASSED
        ),
    )


def _unknown_steps(steps: Sequence[StepRecord]) -> Iterator[str]:
    for step in steps:
        if step.outcome is Progress.UNKNOWN:
            seen = step.evidence.summary if step.evidence else "nothing was seen"
            yield f"Whether step {step.name} took effect: {seen}"


def _unmeasured(entries: Sequence[Entry], measurement: Measurement | None) -> Iterator[str]:
    if measurement is None:
        yield f"Downtime and lost writes: {_why_unmeasured(entries)}"
        return
    for doubt in measurement.doubts:
        yield f"Downtime and lost writes in full: {doubt}"


def _why_unmeasured(entries: Sequence[Entry]) -> str:
    failed = newest_of(entries, WatchFailed)
    if failed:
        return failed.event.reason
    measured = newest_of(entries, Measured)
    if measured is None:
        return "the canary's account is not in yet"
    doubts = measured.event.measurement.get("doubts", ())
    told = doubts if isinstance(doubts, list | tuple) else (doubts,)
    return "; ".join(map(str, told)) or "the canary's account cannot be read"


def _unseen_invariants(invariants: Sequence[InvariantRecord]) -> Iterator[str]:
    for record in invariants:
        if record.verdict is Verdict.INCONCLUSIVE:
            seen = "; ".join(record.exceptions) or "nobody has looked"
            yield f"Invariant {record.invariant}: {seen}"


def _unchecked(plan: Plan, entries: Sequence[Entry]) -> Iterator[str]:
    checks = [told.event for told in select(entries, CheckDone)]
    for group, name in _planned_checks(plan):
        if not any(check.group == group and _is_part_of(name, check) for check in checks):
            yield f"{group.capitalize()} {name}: not run"
    for check in checks:
        if check.verdict is Verdict.INCONCLUSIVE:
            yield f"{check.group.capitalize()} {check.name}: {check.detail}"


def _is_part_of(planned: str, check: CheckDone) -> bool:
    """Return whether *check* answers what was planned; a suite gives one check for each test."""
    return check.group == "suite" or check.name == planned


def _planned_checks(plan: Plan) -> Iterator[tuple[str, str]]:
    for journey in plan.verify.journeys:
        yield "journey", journey
    for suite in plan.verify.suites:
        yield "suite", suite
    for probe in plan.verify.probes:
        yield "probe", probe
