"""The canary's processes: one that watches over two that watch the service."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import NoReturn

from orchestrator.adapters.canary.clock import RunClock
from orchestrator.adapters.canary.markers import MarkerWriter
from orchestrator.adapters.canary.nest import Nest
from orchestrator.adapters.canary.record import Record, RecordFull, keep_spare_room
from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary.spec import CanarySpec
from orchestrator.adapters.canary.stretches import older_of
from orchestrator.adapters.canary.tending import end_of
from orchestrator.adapters.canary.walks import Walking
from orchestrator.domain.observation import STOPPED, MarkerWrite, Walk, Watcher

_TOLD = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_HEARD = _TOLD | {signal.SIGCHLD}
_DISK_FULL, _BROKEN = 28, 70
_GRACE_S = 2.0
_HIGHEST_FD = 1024
_FOR_EVER_S = 1e8
"""More seconds than any canary lives, and few enough for the kernel to count."""

Watch = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Where to go on counting: no number is ever sent twice, whatever came before."""

    marker: int
    walk: int


def detach(nest: Nest, spec: CanarySpec, lock: int) -> None:
    """Leave a canary behind that has no tie to us; the lock's descriptor goes with it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        _cut_ties(nest, lock)
        _live(nest, spec, lock)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a process's edge: nothing of ours may run on from here
        traceback.print_exc()
        os._exit(_BROKEN)


def _cut_ties(nest: Nest, lock: int) -> None:
    """Let go of everything that whoever called us may be waiting on."""
    os.closerange(3, lock)
    os.closerange(lock + 1, _HIGHEST_FD)
    os.chdir("/")
    os.umask(0o077)
    nothing = os.open(os.devnull, os.O_RDWR)
    log = os.open(nest.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(log, 2)
    os.close(nothing)
    os.close(log)
    sys.stdout = sys.stderr


def _live(nest: Nest, spec: CanarySpec, lock: int) -> None:
    clock = RunClock.read()
    nest.sign(lock, clock_offset=clock.offset, begins=end_of(nest))
    numbers = _next_numbers(nest, spec, clock)
    keep_spare_room(nest.spare)
    record = Record(nest.samples, clock, turn_bytes=spec.turn_bytes)
    record.add({"t": "started", "at": clock.now(), "run": spec.run, "pid": os.getpid()})
    record.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    stop, held = os.pipe()
    flock = _Flock(held)
    for watcher, watch in _watches(nest, spec, clock, numbers).items():
        flock.hatch(watcher, watch, stop)
    os.close(stop)
    why = flock.guard(time.monotonic() + (spec.max_duration_s or _FOR_EVER_S))
    flock.dismiss(_longest_look_s(spec) + _GRACE_S)
    nest.spare.unlink(missing_ok=True)
    record.end(why)


def _next_numbers(nest: Nest, spec: CanarySpec, clock: RunClock) -> _Numbers:
    """Return the first numbers: behind those in the files, which may have been lost.

    A canary that lives on has many lives under one name; there the time is behind them all.
    """
    least = 0 if spec.max_duration_s else int(clock.now() * 1000)
    files = [path for path in (older_of(nest.samples), nest.samples) if path.exists()]
    samples = [s for path in files for s in read_samples(path.read_bytes().splitlines())]
    return _Numbers(
        1 + max((s.seq for s in samples if isinstance(s, MarkerWrite)), default=least),
        1 + max((s.number for s in samples if isinstance(s, Walk)), default=least),
    )


def _watches(
    nest: Nest, spec: CanarySpec, clock: RunClock, numbers: _Numbers
) -> dict[Watcher, Watch]:
    watches: dict[Watcher, Watch] = {}
    if (markers := spec.markers) is not None:

        def write(stop: int) -> None:
            record = Record(nest.samples, clock, turn_bytes=spec.turn_bytes)
            writer = MarkerWriter(run=spec.run, spec=markers, record=record, clock=clock)
            writer.write_until_closed(stop, first_seq=numbers.marker)

        watches[Watcher.MARKERS] = write
    if (walks := spec.walks) is not None:

        def walk(stop: int) -> None:
            record = Record(nest.samples, clock, turn_bytes=spec.turn_bytes)
            walking = Walking(run=spec.run, spec=walks, record=record, clock=clock)
            walking.walk_until_closed(stop, first_number=numbers.walk)

        watches[Watcher.WALKS] = walk
    return watches


def _longest_look_s(spec: CanarySpec) -> float:
    markers = [spec.markers.deadline_s + spec.markers.connect_s] if spec.markers else []
    return max(chain(markers, [spec.walks.deadline_s] if spec.walks else []))


class _Flock:
    """The watching processes. They end when the pipe that only we hold is closed.

    So they end too when we are killed: nobody is left behind.
    """

    def __init__(self, held: int) -> None:
        self._held = held
        self._alive: dict[int, Watcher] = {}

    def hatch(self, watcher: Watcher, watch: Watch, stop: int) -> None:
        """Start one."""
        pid = os.fork()
        if pid:
            self._alive[pid] = watcher
            return
        os.close(self._held)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        _watch_and_exit(watch, stop)

    def guard(self, until: float) -> str:
        """Wait for a reason to end, and return it."""
        while (left := until - time.monotonic()) > 0:
            heard = signal.sigtimedwait(_HEARD, left)
            if heard is not None and heard.si_signo in _TOLD:
                return STOPPED
            if endings := self._bury():
                return "; ".join(endings)
        return "its time was over"

    def dismiss(self, grace_s: float) -> None:
        """Let each finish its look, and kill what cannot."""
        os.close(self._held)
        until = time.monotonic() + grace_s
        self._bury()
        while self._alive and (left := until - time.monotonic()) > 0:
            signal.sigtimedwait({signal.SIGCHLD}, left)
            self._bury()
        for pid in self._alive:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _bury(self) -> list[str]:
        endings = []
        for pid, watcher in list(self._alive.items()):
            dead, status = os.waitpid(pid, os.WNOHANG)
            if dead:
                del self._alive[pid]
                endings.append(_describe(watcher, os.waitstatus_to_exitcode(status)))
        return endings


def _watch_and_exit(watch: Watch, stop: int) -> NoReturn:
    try:
        watch(stop)
    except RecordFull:
        os._exit(_DISK_FULL)
    except BaseException:  # noqa: BLE001 - a process's edge: its owner reads the exit code
        traceback.print_exc()
        os._exit(_BROKEN)
    os._exit(0)


def _describe(watcher: Watcher, code: int) -> str:
    if code == _DISK_FULL:
        return f"disk full while recording {watcher}"
    return f"{watcher} ended by themselves with {code}"
