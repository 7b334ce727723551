"""A file of samples that is turned over when it is long: the one before it is kept, no more.

Positions count every byte that was ever written, whichever file it is in by now. The first line
of a file that continues another one says at which position it begins; that line does not count.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from orchestrator.adapters.canary.stretches import head_line, older_of, open_stretch


class TurningFile:
    """One process's way to append; several append side by side, and each may turn it over.

    Raises:
        OSError: From every method, if the file system refuses.
    """

    def __init__(self, path: Path, *, turn_bytes: int) -> None:
        self._path = path
        self._turn_bytes = turn_bytes
        self._fd = _open(path)
        # Its own descriptor, so that whoever was forked does not share the lock.
        self._lock = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)

    def append(self, text: bytes) -> int:
        """Write *text* or its beginning, and return how much of it."""
        if not self._turn_bytes:
            return os.write(self._fd, text)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._follow()
            written = os.write(self._fd, text)
            # Not in the middle of a line.
            if written == len(text) and os.fstat(self._fd).st_size >= self._turn_bytes:
                self._turn()
            return written
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _follow(self) -> None:
        """Open the file anew if another process has turned it over."""
        if os.fstat(self._fd).st_ino != self._path.stat().st_ino:
            os.close(self._fd)
            self._fd = _open(self._path)

    def _turn(self) -> None:
        """Put a file with its head in place of the one that ends; at no time is there none."""
        ended = open_stretch(self._path)
        position = ended.ends
        os.close(ended.fd)
        next_, older = self._path.with_suffix(".next"), older_of(self._path)
        next_.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = _open(next_)
        os.write(self._fd, head_line(position))
        older.unlink(missing_ok=True)
        older.hardlink_to(self._path)
        next_.rename(self._path)


def _open(path: Path) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)
