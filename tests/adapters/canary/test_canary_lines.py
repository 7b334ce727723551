"""The canary's lines and its specification: what is written can be read, and the rest is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.canary.clock import RunClock
from orchestrator.adapters.canary.nest import RequestInvalid
from orchestrator.adapters.canary.record import Record, RecordFull
from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary.spec import (
    CanarySpec,
    MarkerSpec,
    WalkSpec,
    read_spec,
    write_spec,
)
from orchestrator.adapters.journey_walker import Surroundings
from orchestrator.domain.observation import (
    Ended,
    Heartbeat,
    MarkerWrite,
    Unreadable,
    Walk,
    Watcher,
    WriteOutcome,
)
from tests.support.journeys import lab_journey
from tests.support.real_canary import answer_of, call

NOWHERE = Surroundings(secrets={"synthetic-user": "p"})
SECOND_1 = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
MARKER = {"t": "marker", "seq": 7, "sent": 1, "done": 1.5, "outcome": "acknowledged"}


def test_every_kind_of_line_is_read_back() -> None:
    walk = {"t": "walk", "n": 3, "sent": 1, "since": 1, "done": 1, "outcome": "passed"}
    lines = [
        {"t": "started", "at": 1, "run": "r", "pid": 1},
        {**MARKER, "done": 1, "outcome": "unknown", "error": "cut"},
        {**walk, "receipts": ["a"], "actions_ms": {}},
        {**walk, "outcome": "failed", "receipts": [], "action": "log-in", "error": "503"},
        {"t": "alive", "at": 1, "who": "walks"},
        {"t": "ended", "at": 1, "why": "stopped"},
    ]

    assert list(read_samples(json.dumps(line).encode() for line in lines)) == [
        MarkerWrite(
            seq=7, outcome=WriteOutcome.UNKNOWN, error="cut", sent=SECOND_1, done=SECOND_1
        ),
        Walk(number=3, since=SECOND_1, passed=True, receipts=("a",), sent=SECOND_1, done=SECOND_1),
        Walk(
            number=3,
            since=SECOND_1,
            passed=False,
            action="log-in",
            error="503",
            sent=SECOND_1,
            done=SECOND_1,
        ),
        Heartbeat(watcher=Watcher.WALKS, at=SECOND_1),
        Ended(at=SECOND_1, why="stopped"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"t":"marker","seq":7,"se',
        b'{"t":"marker"}',
        b'{"t":"surprise"}',
        b"[]",
        b"7",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({**MARKER, "outcome": "fine"}).encode(),
        json.dumps({**MARKER, "sent": "noon"}).encode(),
        json.dumps({**MARKER, "sent": 1e300}).encode(),
    ],
)
def test_line_that_makes_no_sense_is_named_and_raises_nothing(line: bytes) -> None:
    (sample,) = read_samples([line])

    assert isinstance(sample, Unreadable)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_break_the_reader(line: bytes) -> None:
    assert len(list(read_samples([line]))) <= 1


def test_full_disk_is_told_from_other_errors() -> None:
    record = Record(Path("/dev/full"), RunClock.read())

    record.add({"t": "alive"})
    with pytest.raises(RecordFull, match="No space left"):
        record.flush()


def test_last_line_stands_alone_after_a_torn_one(tmp_path: Path) -> None:
    file = tmp_path / "samples"
    file.write_bytes(b'{"t":"mar')

    Record(file, RunClock.read()).end("disk full")

    torn, ended = read_samples(file.read_bytes().splitlines())
    assert isinstance(torn, Unreadable)
    assert isinstance(ended, Ended)


def test_record_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("elsewhere")

    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        Record(tmp_path / "link", RunClock.read())


def test_spec_survives_its_journey_as_json() -> None:
    spec = CanarySpec(
        run="r-1",
        markers=MarkerSpec(database={"host": "10.77.1.13", "port": 6432, "password": "p"}),
        walks=WalkSpec(journey=lab_journey(), surroundings=NOWHERE),
    )

    assert read_spec(write_spec(spec)) == spec


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"run": "../etc"}, "run must be"),
        ({"markers": None}, "nothing to watch"),
        ({"speed": 9}, "speed"),
        ({"markers": {"database": {}, "table": "x; drop table y"}}, "plain SQL name"),
        ({"markers": {"database": {}, "every_ms": 0}}, "must be positive"),
        ({"markers": {"database": {}, "deadline_s": "swordfish"}}, "markers.deadline_s"),
        ({"walks": {"journey": {}, "surroundings": {}, "every_ms": -1}}, "walks.journey"),
    ],
)
def test_spec_that_cannot_be_followed_is_refused_without_its_values(
    change: dict[str, object], phrase: str
) -> None:
    spec = {"run": "r-1", "markers": {"database": {"password": "swordfish"}}, **change}

    called = call("start", stdin=json.dumps(spec).encode())

    assert called.returncode == 2
    assert phrase in answer_of(called)["error"]
    assert b"swordfish" not in called.stdout


def test_walk_needs_a_journey() -> None:
    with_markers_only = json.dumps({"run": "r-1", "markers": {"database": {}}}).encode()

    called = call("walk", stdin=with_markers_only)

    assert answer_of(called)["error"] == "walks: there is no journey to walk"


def test_spec_with_too_fast_walks_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        WalkSpec(
            journey=lab_journey(),
            surroundings=NOWHERE,
            deadline_s=0,
        )


def test_spec_that_is_no_json_is_refused() -> None:
    with pytest.raises(RequestInvalid, match="Invalid JSON"):
        read_spec(b"{")


def test_clock_gives_wall_time_from_the_monotonic_one() -> None:
    assert RunClock(100.0).unix(23.5) == 123.5
