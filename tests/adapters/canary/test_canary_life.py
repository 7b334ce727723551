"""Starting, reading and stopping: the canary lives and dies as its controller wants."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from orchestrator.adapters.canary.nest import CanaryFailed, Nest
from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary.spec import MarkerSpec, WalkSpec
from orchestrator.domain.observation import Ended, MarkerWrite
from tests.support.real_canary import COMMAND, RealCanary, answer_of, call, markers_in, walks_in
from tests.support.real_postgresql import is_running
from tests.support.real_shop import ROOT
from tests.support.waiting import wait_until, wall_clock


def test_start_answers_once_both_watchers_have_looked(
    canary: RealCanary, markers: MarkerSpec, walks: WalkSpec
) -> None:
    before = wall_clock()

    answer = canary.start(canary.spec(markers, walks))

    assert before < answer["at"] < wall_clock()
    assert answer["pid"] == canary.nest.pid()
    assert markers_in(canary.samples())
    assert walks_in(canary.samples())


def test_stop_waits_for_the_last_line(canary: RealCanary, markers: MarkerSpec) -> None:
    canary.start(canary.spec(markers))

    answer = canary.stop()

    last = canary.written()[-1]
    assert isinstance(last, Ended)
    assert last.why == "stopped"
    assert answer["stopped"]
    assert answer["bytes"] == canary.nest.samples.stat().st_size
    assert not canary.nest.spare.exists()


def test_stopping_twice_is_no_error(canary: RealCanary, markers: MarkerSpec) -> None:
    canary.start(canary.spec(markers))
    canary.stop()

    assert not canary.stop()["stopped"]


def test_second_start_finds_the_first(canary: RealCanary, markers: MarkerSpec) -> None:
    first = canary.start(canary.spec(markers))

    second = canary.start(canary.spec(markers))

    assert second["already_running"]
    assert second["pid"] == first["pid"]


def test_four_starts_at_once_are_one_canary(canary: RealCanary, markers: MarkerSpec) -> None:
    spec = canary.spec(markers)
    command = [*COMMAND, "start", "--directory", str(canary.directory)]
    starts = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    answers = [start.communicate(spec)[0] for start in starts]

    assert sum(b'"already_running":false' in answer for answer in answers) == 1
    assert len({answer.split(b",")[0] for answer in answers}) == 1


def test_it_survives_the_death_of_whoever_started_it(
    canary: RealCanary, markers: MarkerSpec
) -> None:
    spec = canary.directory / "spec"
    spec.write_bytes(canary.spec(markers))
    start = shlex.join([*COMMAND, "start", "--directory", str(canary.directory)])
    shell = subprocess.Popen(
        ["sh", "-c", f"{start} < {spec}; exec sleep 600"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert shell.stdout is not None
    shell.stdout.readline()

    os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()

    # At its end the pipe tells that nobody holds it any more: an SSH session would end too.
    assert shell.stdout.read() == b""
    shell.stdout.close()
    already = len(markers_in(canary.written()))
    canary.wait_for(50, MarkerWrite, after=already)


def test_no_password_stands_in_an_argv_or_in_a_file(canary: RealCanary, walks: WalkSpec) -> None:
    answer = canary.start(canary.spec(walks=walks))

    password = walks.surroundings.secrets["synthetic-user"].encode()
    assert walks_in(canary.written())
    assert password not in Path(f"/proc/{answer['pid']}/cmdline").read_bytes()
    assert password not in Path(f"/proc/{answer['pid']}/environ").read_bytes()
    for file in canary.directory.iterdir():
        assert password not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0


def test_it_ends_by_itself_when_nobody_stops_it(canary: RealCanary, markers: MarkerSpec) -> None:
    canary.start(canary.spec(markers, max_duration_s=1))

    wait_until(lambda: not canary.nest.is_alive(), "it has ended by itself")

    (last,) = [s for s in canary.written() if isinstance(s, Ended)]
    assert last.why == "its time was over"


def test_nobody_is_left_behind_when_the_first_process_is_killed(
    canary: RealCanary, markers: MarkerSpec, walks: WalkSpec
) -> None:
    answer = canary.start(canary.spec(markers, walks))
    watchers = children_of(answer["pid"])
    assert len(watchers) == 2

    os.kill(answer["pid"], signal.SIGKILL)

    wait_until(lambda: not canary.nest.is_alive(), "the lock is free")
    wait_until(lambda: not any(is_running(pid) for pid in watchers), "the watchers are gone")


def test_watcher_that_dies_ends_it_with_the_reason(
    canary: RealCanary, markers: MarkerSpec
) -> None:
    answer = canary.start(canary.spec(markers))
    (watcher,) = children_of(answer["pid"])

    os.kill(watcher, signal.SIGKILL)

    wait_until(lambda: not canary.nest.is_alive(), "it has ended")
    last = canary.written()[-1]
    assert isinstance(last, Ended)
    assert last.why == "markers ended by themselves with -9"


def test_started_again_it_never_sends_a_number_twice(
    canary: RealCanary, markers: MarkerSpec
) -> None:
    answer = canary.start(canary.spec(markers))
    canary.wait_for(20, MarkerWrite)
    os.kill(answer["pid"], signal.SIGKILL)
    wait_until(lambda: not canary.nest.is_alive(), "it is gone")
    before = len(markers_in(canary.written()))

    canary.start(canary.spec(markers))
    canary.wait_for(20, MarkerWrite, after=before)
    canary.stop()

    numbers = [marker.seq for marker in markers_in(canary.written())]
    assert numbers == list(range(1, len(numbers) + 1))


def test_reading_in_pieces_gives_the_whole(canary: RealCanary, markers: MarkerSpec) -> None:
    canary.start(canary.spec(markers))
    canary.wait_for(100, MarkerWrite)
    canary.stop()
    whole = canary.nest.samples.read_bytes()
    directory = ["--directory", str(canary.directory), "--run", canary.run]

    pieces = b""
    while piece := call(
        "read", *directory, "--offset", str(len(pieces)), "--limit", "4096"
    ).stdout:
        assert len(piece) <= 4096
        assert piece.endswith(b"\n")
        pieces += piece

    assert pieces == whole
    assert len(list(read_samples(pieces.splitlines()))) > 100


@pytest.mark.parametrize(
    ("words", "phrase", "code"),
    [
        (["read", "--run", "nobody"], "no canary has run here as nobody", 1),
        (["stop", "--run", "nobody"], "no canary has run here as nobody", 1),
    ],
    ids=["read", "stop"],
)
def test_what_never_ran_cannot_be_asked(
    words: list[str], phrase: str, code: int, tmp_path: Path
) -> None:
    called = call(*words, "--directory", str(tmp_path))

    assert phrase in answer_of(called)["error"]
    assert called.returncode == code


def test_reading_past_the_end_is_an_error(canary: RealCanary, markers: MarkerSpec) -> None:
    canary.start(canary.spec(markers))
    canary.stop()

    called = call(
        *("read", "--directory", str(canary.directory)),
        *("--run", canary.run, "--offset", "99999999"),
    )

    assert "is shorter than 99999999 bytes" in answer_of(called)["error"]


@pytest.mark.parametrize("run", ["../x", "a b", "x'; drop table", "", "-v", "x" * 101])
def test_run_cannot_leave_its_directory(run: str, tmp_path: Path) -> None:
    called = call("read", "--directory", str(tmp_path), f"--run={run}")

    assert called.returncode == 2


def test_directory_open_to_others_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    with pytest.raises(CanaryFailed, match="open to others"):
        Nest(tmp_path, "run").prepare()


def test_link_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "nest").symlink_to("elsewhere")

    with pytest.raises(CanaryFailed, match="not a directory of ours"):
        Nest(tmp_path / "nest", "run").prepare()


def children_of(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
