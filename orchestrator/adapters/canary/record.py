"""What a canary writes down: JSON lines, appended whole, in the file within 100 ms."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from orchestrator.adapters.canary.clock import RunClock
from orchestrator.adapters.canary.turning import TurningFile
from orchestrator.domain.observation import Watcher

BEAT_EVERY_S = 0.5
_FLUSH_AFTER_S = 0.05
_SPARE_BYTES = 8192


class RecordFull(Exception):
    """The disk is full: what is seen can no longer be written down."""


class Record:
    """One writer's way into the file. Several processes append to the same file side by side."""

    def __init__(self, path: Path, clock: RunClock, *, turn_bytes: int = 0) -> None:
        self._file = TurningFile(path, turn_bytes=turn_bytes)
        self._clock = clock
        self._lines: list[bytes] = []
        self._flushed = time.monotonic()
        self._beaten = 0.0
        self._lock = threading.Lock()

    def add(self, line: Mapping[str, object]) -> None:
        """Write *line* now or with the next ones."""
        text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self._lines.append(text)
        self.flush_if_due()

    def beat(self, watcher: Watcher) -> None:
        """Give a sign of life, if it is time for one."""
        now = time.monotonic()
        if now - self._beaten >= BEAT_EVERY_S:
            self._beaten = now
            self.add({"t": "alive", "at": self._clock.unix(now), "who": watcher})
        else:
            self.flush_if_due()

    def flush_if_due(self) -> None:
        """Write what has waited for long enough."""
        if time.monotonic() - self._flushed >= _FLUSH_AFTER_S:
            self.flush()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            RecordFull: If there is no room. A torn line may be left at the end.
        """
        with self._lock:
            waiting, self._lines = b"".join(self._lines), []
            self._flushed = time.monotonic()
            while waiting:
                waiting = waiting[self._write(waiting) :]

    def end(self, why: str) -> None:
        """Write the last line, on a line of its own even if the one before is torn."""
        with self._lock:
            self._lines.insert(0, b"\n")
        self.add({"t": "ended", "at": self._clock.now(), "why": why})
        self.flush()

    def _write(self, text: bytes) -> int:
        try:
            return self._file.append(text)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise RecordFull(os.strerror(error.errno)) from error
            raise


def keep_spare_room(path: Path) -> None:
    """Take room that `write_last_line` can give back, should the disk be full by then.

    Raises:
        OSError: If the disk is full already.
    """
    path.write_bytes(bytes(_SPARE_BYTES))
    path.chmod(0o600)
