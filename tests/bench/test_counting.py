from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.domain.observation import Interval, MarkerWrite, WriteOutcome
from tests.bench.instrument import gap_across
from tests.bench.load import read_report
from tests.bench.roles import LabUnfit
from tests.bench.table import compare

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROGRESS = """\
pgbench (15.18)
progress: 1.0 s, 700.0 tps, lat 10.8 ms stddev 4.8, 0 failed
progress: 3.0 s, 200.0 tps, lat 39.1 ms stddev 9.0, {failed} failed
"""


def at(ms: int) -> datetime:
    return NOON + timedelta(milliseconds=ms)


def a_write(seq: int, done_ms: int, outcome: WriteOutcome) -> MarkerWrite:
    return MarkerWrite(seq=seq, sent=at(done_ms - 1), done=at(done_ms), outcome=outcome)


def test_transactions_are_summed_over_the_seconds_of_each_report() -> None:
    report = read_report(PROGRESS.format(failed=0))

    assert (report.transactions, report.failed) == (700 + 2 * 200, 0)


def test_failed_transactions_are_counted() -> None:
    assert read_report(PROGRESS.format(failed=3)).failed == 3


def test_a_client_that_gave_up_is_a_failed_transaction() -> None:
    gave_up = "pgbench: error: client 6 aborted in command 4 (SQL) of script 0; perhaps dead"

    report = read_report(f"{PROGRESS.format(failed=0)}{gave_up}\n")

    assert report.failed == 1
    assert report.complaints == (gave_up,)


def test_a_load_that_never_worked_is_no_zero() -> None:
    with pytest.raises(LabUnfit, match="connection refused"):
        read_report("pgbench: error: connection refused")


def test_only_gaps_that_touch_the_time_of_the_switchover_count() -> None:
    acknowledged = [0, 500, 510, 700, 710, 1500]
    writes = [a_write(n, ms, WriteOutcome.ACKNOWLEDGED) for n, ms in enumerate(acknowledged)]

    assert gap_across(writes, Interval(at(520), at(690))) == Interval(at(510), at(700))


def test_a_write_that_failed_does_not_shorten_a_gap() -> None:
    writes = [
        a_write(1, 0, WriteOutcome.ACKNOWLEDGED),
        a_write(2, 100, WriteOutcome.FAILED),
        a_write(3, 200, WriteOutcome.UNKNOWN),
        a_write(4, 300, WriteOutcome.ACKNOWLEDGED),
    ]

    assert gap_across(writes, Interval(at(50), at(250))) == Interval(at(0), at(300))


def test_the_ratio_is_that_of_the_medians() -> None:
    row = compare("gap", [130.0, 900.0, 110.0], "bare hands", [100.0, 100.0, 300.0])

    assert row.ratio == 1.3
