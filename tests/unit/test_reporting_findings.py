from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.checklist import Level
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.observation import Blindness, Watcher
from orchestrator.domain.plan import BoundInvariant
from orchestrator.domain.playbook import StepName
from orchestrator.domain.record import DeviationKind
from orchestrator.domain.run import (
    CheckDone,
    DriverStarted,
    InvariantsChecked,
    ItemLookedAt,
    Measured,
    WatchFailed,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.reporting import report_of
from tests.support.builders import (
    A_PROBE,
    PREFLIGHT,
    a_checklist,
    a_journal,
    a_journey_verification,
    a_measurement,
    a_plan,
    after,
    an_item,
    created,
    finished,
    intended,
    some_evidence,
)
from tests.support.switchovers import (
    STORIES,
    held,
    refused,
)

STOP = StepName("stop-old-primary")


def test_everything_planned_and_not_checked_is_named() -> None:
    plan = a_plan(verify=a_journey_verification())

    report = report_of(plan, a_journal((0, created(plan)), (1, intended()), (2, finished())))

    assert report.not_verified == (
        "Downtime and lost writes: the canary's account is not in yet",
        "Journey place-an-order: not run",
        "Suite tests/test_database.py: not run",
        "Probe old-primary-refuses: not run",
    )


def test_check_that_could_not_look_is_named_as_not_verified() -> None:
    plan = a_plan()
    check = CheckDone(
        group="suite", name="test_x", verdict=Verdict.INCONCLUSIVE, detail="no test was collected"
    )
    entries = a_journal((0, created(plan)), (1, intended()), (2, finished()), (3, check))

    report = report_of(plan, entries, measurement=a_measurement(doubts=("cut short",)))

    assert report.not_verified == (
        "Downtime and lost writes in full: cut short",
        "Suite test_x: no test was collected",
    )


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        pytest.param({"doubts": ["client-1 is gone"]}, "client-1 is gone", id="lost on the way"),
        pytest.param({"doubts": "torn"}, "torn", id="a single word"),
        pytest.param({}, "the canary's account cannot be read", id="nothing at all"),
    ],
)
def test_account_without_numbers_says_why(account: dict[str, object], reason: str) -> None:
    plan = a_plan()
    measured = Measured(measurement=account, samples_file="")

    report = report_of(
        plan, a_journal((0, created(plan)), (1, intended()), (2, finished()), (3, measured))
    )

    assert report.not_verified == (f"Downtime and lost writes: {reason}",)


def test_step_of_unknown_outcome_is_named_as_not_verified() -> None:
    assert held().report().not_verified[0] == (
        "Whether step repoint-pooler took effect: "
        "pool-a1 did not answer within 10 s after the command was sent"
    )


def test_run_that_changed_nothing_owes_no_verification() -> None:
    assert refused().report().not_verified == ()


def test_invariant_that_nobody_looked_at_is_not_verified() -> None:
    invariant = BoundInvariant(invariant="one-writer", why="split brain", probes={"a": A_PROBE})
    plan = a_plan(invariants=(invariant,))

    report = report_of(plan, a_journal((0, created(plan)), (1, intended())))

    assert report.invariants[0].verdict is Verdict.INCONCLUSIVE
    assert "Invariant one-writer: nobody has looked" in report.not_verified


def test_invariant_tells_around_which_step_it_did_not_hold() -> None:
    invariant = BoundInvariant(invariant="one-writer", why="split brain", probes={"a": A_PROBE})
    plan = a_plan(invariants=(invariant,))
    good, bad = some_evidence(), some_evidence(Verdict.FAILED, "a and b are writable")
    looks = [
        InvariantsChecked(step=STOP, when="before", evidence={"one-writer": good}),
        InvariantsChecked(step=STOP, when="after", evidence={"one-writer": bad}),
        InvariantsChecked(step=STOP, when="after", evidence={}),
    ]

    record = report_of(
        plan, a_journal((0, created(plan)), *((1 + i, look) for i, look in enumerate(looks)))
    ).invariants[0]

    assert (record.verdict, record.looks) == (Verdict.FAILED, 2)
    assert record.exceptions == ("after stop-old-primary: a and b are writable",)


def test_parameter_that_is_not_the_default_is_a_deviation() -> None:
    plan = a_plan(parameters={"target": "db-b1", "database": "orders-db"})

    deviations = report_of(plan, ()).deviations

    assert [d.kind for d in deviations] == [DeviationKind.PARAMETER]
    assert deviations[0].what == "target is db-b1; the playbook would have taken db-a2"


def test_everything_unrehearsed_is_listed_in_order_of_time() -> None:
    plan = a_plan(checklists=[a_checklist(PREFLIGHT, an_item(level=Level.SOFT))])
    degraded = Evidence(verdict=Verdict.DEGRADED, summary="close to the limit", at=after(2))
    blind = Blindness(watcher=Watcher.WALKS, start=after(4), end=after(7))
    check = CheckDone(group="probe", name="p", verdict=Verdict.DEGRADED, detail="slow")
    entries = a_journal(
        (0, created(plan)),
        (0.1, DriverStarted(pid=1, boot="b")),
        (1, WatchFailed(reason="no ssh")),
        (2, ItemLookedAt(gate=PREFLIGHT, item=an_item().item, evidence=degraded)),
        (3, DriverStarted(pid=2, boot="b")),
        (8, check),
    )

    report = report_of(plan, entries, measurement=replace(a_measurement(), blind=(blind,)))

    assert [(d.kind, d.what) for d in report.deviations] == [
        (DeviationKind.BLIND, "the canary did not watch: no ssh"),
        (DeviationKind.DEGRADED, "preflight: replica-in-sync: close to the limit"),
        (DeviationKind.RESUMED, "taken up by another process (2)"),
        (DeviationKind.BLIND, "the canary's walks did not look for 3.0 s"),
        (DeviationKind.DEGRADED, "probe p: slow"),
    ]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("verified", []),
        ("verified-with-a-waiver", [DeviationKind.WAIVER]),
        ("rolled-back", [DeviationKind.WAIVER, DeviationKind.UNDO, DeviationKind.UNDO]),
        (
            "aborted",
            [
                DeviationKind.BLIND,
                DeviationKind.WAIVER,
                DeviationKind.ABORT,
                DeviationKind.UNDO,
            ],
        ),
    ],
)
def test_deviations_of_whole_runs(name: str, kinds: list[DeviationKind]) -> None:
    assert [d.kind for d in STORIES[name]().report().deviations] == kinds
