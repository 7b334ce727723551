"""Where a canary lives: its files, and the lock that the kernel frees when it is gone."""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class RequestInvalid(Exception):
    """The canary was asked for something that makes no sense."""


class CanaryFailed(Exception):
    """What was asked of the canary could not be done; the message says why."""


def check_run(run: str) -> str:
    """Return *run*, if it can stand in file names and SQL.

    Raises:
        ValueError: If not.
    """
    if not _RUN.fullmatch(run):
        raise ValueError("run must be letters, digits, '.', '_' or '-', at most 100")
    return run


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a canary's first process writes into its lock."""

    pid: int
    birth: int
    clock_offset: float
    begins: int


@dataclass(frozen=True, slots=True)
class Nest:
    """The files of one run's canary."""

    directory: Path
    run: str

    @property
    def samples(self) -> Path:
        """What it has seen: JSON lines."""
        return self.directory / f"{self.run}.jsonl"

    @property
    def lock(self) -> Path:
        """Held while any process of it is alive; tells which is the first."""
        return self.directory / f"{self.run}.lock"

    @property
    def log(self) -> Path:
        """What it could say nowhere else."""
        return self.directory / f"{self.run}.log"

    @property
    def spare(self) -> Path:
        """Room for the last line."""
        return self.directory / f"{self.run}.spare"

    def prepare(self) -> None:
        """Make the directory, for us alone.

        Raises:
            CanaryFailed: If there is one that others may write to, or that is not ours.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self.directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise CanaryFailed(f"{self.directory} is not a directory of ours")
        if found.st_mode & 0o077:
            raise CanaryFailed(f"{self.directory} is open to others: chmod 700 it")

    def take(self) -> int | None:
        """Take the lock and return its descriptor; nothing if a canary holds it."""
        fd = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        return fd

    def is_alive(self) -> bool:
        """Tell whether any process of this canary is left."""
        if not self.lock.exists():
            return False
        fd = self.take()
        if fd is not None:
            os.close(fd)
        return fd is None

    def sign(self, fd: int, *, clock_offset: float, begins: int) -> None:
        """Write into the lock which process is the first, its clock, and where its samples begin.

        Args:
            fd: The lock's.
            clock_offset: What it adds to monotonic seconds.
            begins: Position of its first sample; those before are of an earlier life.
        """
        pid = os.getpid()
        signed = Signature(pid=pid, birth=_birth(pid), clock_offset=clock_offset, begins=begins)
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(asdict(signed)).encode(), 0)

    def signature(self) -> Signature | None:
        """Return who signed, if that process is still there."""
        try:
            signed = Signature(**json.loads(self.lock.read_bytes()))
            is_same = _birth(signed.pid) == signed.birth
        except (ValueError, TypeError, OSError):
            return None
        return signed if is_same else None

    def pid(self) -> int | None:
        """Return the first process, if it still is the one that signed."""
        signed = self.signature()
        return signed.pid if signed else None


def _birth(pid: int) -> int:
    """Return the start time of *pid* in clock ticks since boot, which a reused pid changes."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    return int(after_name.split()[19])
