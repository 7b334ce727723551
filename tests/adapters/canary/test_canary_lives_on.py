"""A canary that lives on: its file is turned over, and is read across that."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.canary.clock import RunClock
from orchestrator.adapters.canary.nest import CanaryFailed, Nest
from orchestrator.adapters.canary.record import Record
from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary.spec import CanarySpec, MarkerSpec, write_spec
from orchestrator.adapters.canary.stretches import (
    head_line,
    older_of,
    open_stretches,
    position_in,
)
from orchestrator.adapters.canary.tending import end_of, read_on, recall, watch_over
from orchestrator.domain.observation import STANDING, Heartbeat, MarkerWrite
from tests.support.real_canary import RealCanary, answer_of, call, markers_in
from tests.support.real_postgresql import RealPostgresql
from tests.support.waiting import wait_until

CLOCK = RunClock(offset=1_000_000.0)


@pytest.fixture
def nest(tmp_path: Path) -> Nest:
    nest = Nest(tmp_path / "canary", "lives-on")
    nest.prepare()
    return nest


@pytest.fixture
def standing(tmp_path: Path, postgresql: RealPostgresql) -> Iterator[RealCanary]:
    """A canary that lives until it is stopped, and turns its file over every few seconds."""
    tmp_path.chmod(0o700)
    canary = RealCanary(run=STANDING, directory=tmp_path)
    canary.start(standing_spec(postgresql))
    yield canary
    canary.stop()


def standing_spec(postgresql: RealPostgresql) -> bytes:
    markers = MarkerSpec(database=postgresql.database("canary", "shop"), every_ms=5)
    spec = CanarySpec(run=STANDING, markers=markers, max_duration_s=None, turn_bytes=8192)
    return write_spec(spec)


def test_file_that_is_turned_over_keeps_what_was_before_and_no_more(nest: Nest) -> None:
    record = Record(nest.samples, CLOCK, turn_bytes=4096)

    for number in range(400):
        record.add(a_line(number))
        record.flush()

    files = sorted(path.name for path in nest.directory.iterdir())
    assert files == ["lives-on.jsonl", "lives-on.older.jsonl"]
    assert all(path.stat().st_size < 2 * 4096 for path in nest.directory.iterdir())
    kept = numbers_in(read_on(nest, position=0, limit=1 << 20))
    assert kept == list(range(kept[0], 400))
    assert len(kept) * len(json.dumps(a_line(399))) > 4096


def test_lines_of_several_writers_survive_every_turn(nest: Nest) -> None:
    records = [Record(nest.samples, CLOCK, turn_bytes=2048) for _ in range(3)]
    read, position = [], 0

    for number in range(900):
        records[number % 3].add(a_line(number))
        records[number % 3].flush()
        if number % 20 == 0:
            new = read_on(nest, position=position, limit=1 << 20)
            position += len(new)
            read += numbers_in(new)

    assert sorted(read + numbers_in(read_on(nest, position=position, limit=1 << 20))) == list(
        range(900)
    )


def test_reader_meets_a_file_at_every_instant_of_a_turn(nest: Nest) -> None:
    record = Record(nest.samples, CLOCK, turn_bytes=256)
    record.add(a_line(0))
    record.flush()

    def write() -> None:
        for number in range(1, 4000):
            record.add(a_line(number))
            record.flush()

    writer = threading.Thread(target=write)
    writer.start()
    ends = []
    while writer.is_alive():
        ends.append(end_of(nest))
        read_on(nest, position=ends[-1], limit=1 << 20)
    writer.join()

    assert older_of(nest.samples).exists(), "it was turned over"
    assert len(ends) > 100
    assert ends == sorted(ends)


def test_reader_that_comes_too_late_is_told_where_the_rest_begins(nest: Nest) -> None:
    record = Record(nest.samples, CLOCK, turn_bytes=2048)
    for number in range(300):
        record.add(a_line(number))
        record.flush()

    head, _, rest = read_on(nest, position=0, limit=1 << 20).partition(b"\n")

    begins = position_in(head)
    assert begins is not None
    assert begins + len(rest) == end_of(nest)
    assert numbers_in(rest)[-1] == 299


def test_older_file_of_another_time_is_left_out(nest: Nest) -> None:
    older_of(nest.samples).write_bytes(head_line(70) + b'{"t":"started"}\n')
    nest.samples.write_bytes(b'{"t":"alive","at":1,"who":"walks"}\n')

    with open_stretches(nest.samples) as stretches:
        assert len(stretches) == 1


def test_recall_begins_where_it_was_asked_to(nest: Nest) -> None:
    lock = nest.take()
    assert lock is not None
    clock = RunClock.read()
    now = clock.now()
    record = Record(nest.samples, clock, turn_bytes=8192)
    for number in range(300):
        record.add({"t": "alive", "at": now - 300 + number, "who": "walks", "number": number})
        record.flush()
    nest.sign(lock, clock_offset=clock.offset, begins=0)

    for seconds in (0.5, 1.5, 50.5, 149.5):
        recalled = recall(nest, seconds=seconds, limit=1 << 20)
        assert numbers_in(recalled) == [n for n in range(300) if 300 - n <= seconds]
    os.close(lock)


def test_recall_leaves_an_earlier_life_alone(nest: Nest) -> None:
    lock = nest.take()
    assert lock is not None
    clock = RunClock.read()
    record = Record(nest.samples, clock)
    record.add({"t": "alive", "at": clock.now(), "who": "walks", "number": 1})
    record.flush()
    nest.sign(lock, clock_offset=clock.offset, begins=end_of(nest))
    record.add({"t": "alive", "at": clock.now(), "who": "walks", "number": 2})
    record.flush()

    assert numbers_in(recall(nest, seconds=60, limit=1 << 20)) == [2]
    os.close(lock)


def test_clock_that_was_set_since_is_made_good(nest: Nest) -> None:
    lock = nest.take()
    assert lock is not None
    slow = RunClock(RunClock.read().offset - 3600)
    nest.sign(lock, clock_offset=slow.offset, begins=0)
    record = Record(nest.samples, slow)
    record.add({"t": "alive", "at": slow.now(), "who": "walks"})
    record.flush()

    (beat,) = read_samples(recall(nest, seconds=60, limit=1 << 20).splitlines())

    assert isinstance(beat, Heartbeat)
    assert abs(beat.at.timestamp() - RunClock.read().now()) < 5
    os.close(lock)


def test_canary_that_is_gone_cannot_be_recalled(nest: Nest) -> None:
    nest.samples.write_bytes(b'{"t":"alive","at":1,"who":"walks"}\n')

    with pytest.raises(CanaryFailed, match="no canary is at work here"):
        recall(nest, seconds=60, limit=1 << 20)
    assert watch_over(nest)["running"] is False


def test_canary_that_never_was_has_no_status(nest: Nest) -> None:
    with pytest.raises(CanaryFailed, match="no canary has run here"):
        watch_over(nest)


def test_real_canary_is_read_across_its_turns(
    standing: RealCanary, postgresql: RealPostgresql
) -> None:
    position = 0
    seen: list[MarkerWrite] = []
    for _ in range(20):
        new = read_on(standing.nest, position=position, limit=1 << 20)
        position += len(new)
        seen += markers_in(read_samples(new.splitlines()))
        threading.Event().wait(0.1)

    assert older_of(standing.nest.samples).exists(), "it was turned over"
    numbers = [marker.seq for marker in seen]
    assert len(numbers) > 100
    assert sorted(numbers) == list(range(min(numbers), max(numbers) + 1))


def test_status_tells_of_its_last_sign(standing: RealCanary) -> None:
    told = answer_of(call("status", *at(standing)))

    assert told["running"] is True
    assert 0 <= told["at"] - told["last_sign"] < 2


def test_status_tells_that_it_was_killed(standing: RealCanary) -> None:
    pid = standing.nest.pid()
    assert pid is not None
    os.kill(pid, 9)
    wait_until(lambda: not standing.nest.is_alive(), "it is gone")

    told = answer_of(call("status", *at(standing)))

    assert told["running"] is False
    recalled = call("recall", *at(standing), "--seconds", "60")
    assert recalled.returncode == 1
    assert "no canary is at work" in answer_of(recalled)["error"]


def test_numbers_go_on_even_if_the_files_are_lost(
    standing: RealCanary, postgresql: RealPostgresql
) -> None:
    standing.wait_for(20, MarkerWrite)
    standing.stop()
    for path in standing.directory.glob("*.jsonl"):
        path.unlink()

    standing.start(standing_spec(postgresql))
    standing.wait_for(20, MarkerWrite)
    standing.stop()

    with postgresql.connect(dbname="shop") as session:
        found = session.execute(
            "select seq from recover_marker where run = %s group by seq having count(*) > 1",
            [STANDING],
        )
        assert found.fetchall() == []


def at(canary: RealCanary) -> tuple[str, ...]:
    return ("--directory", str(canary.directory), "--run", canary.run)


def a_line(number: int) -> dict[str, object]:
    return {"t": "alive", "at": number, "who": "walks", "number": number}


def numbers_in(text: bytes) -> list[int]:
    lines = map(json.loads, text.splitlines())
    return [line["number"] for line in lines if line["t"] != "from"]
