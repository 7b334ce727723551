from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.domain.observation import (
    Interval,
    MarkerId,
    MarkerWrite,
    WriteOutcome,
    Writes,
)
from tests.bench.failover_table import rows, waits_table, writes_table
from tests.bench.failover_trials import Fault, SideName, Trial, is_served_since
from tests.bench.recover_command import Decision

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_trial(
    side: SideName,
    outage_s: float,
    *,
    fault: Fault = Fault.KILL,
    decision: Decision | None = None,
    lost: tuple[int, ...] = (),
    doubts: tuple[str, ...] = (),
) -> Trial:
    gone = tuple(MarkerId("bench-1", seq) for seq in lost)
    return Trial(
        name="bench-1",
        side=side,
        fault=fault,
        direction="db-a1 → db-a2",
        outage=Interval(NOON, at(outage_s)),
        writes=Writes(
            acknowledged=1000,
            failed=20,
            unknown=3,
            counted=True,
            lost=gone,
        ),
        decision=decision,
        doubts=doubts,
    )


def a_write(sent_s: float, outcome: WriteOutcome) -> MarkerWrite:
    return MarkerWrite(seq=1, sent=at(sent_s), done=at(sent_s + 1), outcome=outcome)


def test_the_whole_wait_is_compared_and_the_part_of_people_shown_apart() -> None:
    decision = Decision(triggered=at(1), satisfied=at(12))
    trials = [a_trial(SideName.OURS, 12.5, decision=decision), a_trial(SideName.PATRONI, 25)]

    whole, to_trigger, to_gates, to_write = rows(trials)

    assert (whole.ours_ms.median, whole.ratio) == (12_500, 0.5)
    parts = [to_trigger, to_gates, to_write]
    assert [part.ours_ms.median for part in parts] == [1000, 11_000, 500]


def test_one_side_alone_is_no_comparison() -> None:
    trials = [
        a_trial(SideName.PATRONI, 20),
        a_trial(SideName.PATRONI, 20, fault=Fault.HANG),
    ]

    assert list(rows(trials)) == []


def test_faults_are_not_mixed() -> None:
    trials = [
        a_trial(SideName.OURS, 1, fault=Fault.KILL),
        a_trial(SideName.PATRONI, 20, fault=Fault.KILL),
        a_trial(SideName.PATRONI, 90, fault=Fault.HANG),
    ]

    assert next(rows(trials)).ratio == 0.05


def test_lost_writes_of_all_trials_are_summed() -> None:
    trials = [
        a_trial(SideName.PATRONI, 20, lost=(7, 8)),
        a_trial(SideName.PATRONI, 20, lost=(9,)),
    ]

    assert writes_table(trials).splitlines()[1].split() == [
        *("kill", "Patroni", "2,000", "40", "6", "3", "0")
    ]


def test_a_doubt_stands_below_the_numbers() -> None:
    trial = a_trial(SideName.OURS, 1, doubts=("markers: nothing was seen",))

    assert writes_table([trial]).splitlines()[-1] == "! bench-1: markers: nothing was seen"


def test_the_tables_fit_a_terminal_of_80_columns() -> None:
    decision = Decision(triggered=at(60), satisfied=at(600))
    trials = [
        a_trial(side, 999.99, fault=Fault.BLACK_HOLE, decision=decision) for side in SideName
    ]

    lines = f"{waits_table(trials)}\n{writes_table(trials)}".splitlines()

    assert max(map(len, lines)) <= 80


def test_a_write_sent_before_the_fault_was_seen_does_not_prove_service() -> None:
    early = a_write(-0.1, WriteOutcome.ACKNOWLEDGED)
    refused = a_write(1, WriteOutcome.FAILED)
    served = a_write(2, WriteOutcome.ACKNOWLEDGED)

    assert not is_served_since([early, refused], NOON)
    assert is_served_since([early, refused, served], NOON)
