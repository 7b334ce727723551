"""What belongs to one run beside the journal: the frozen plan, its content, big output."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestrator.adapters.canary.samples import standing_beside
from orchestrator.adapters.plain_values import plan_from_text, plan_to_text
from orchestrator.domain.errors import JournalBroken, RequestRefused
from orchestrator.domain.plan import Plan
from orchestrator.domain.run import RunId

OUTPUT_LIMIT = 1 << 20
"""Characters of one output that are kept; the middle of a longer one is left out."""
LAST_WORDS = 3

_FLOCK = "hhqqi4x"
"""``struct flock`` of 64-bit Linux: type, whence, start, length, holder."""
_WHOLE_FILE = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


class RunFolder:
    """The folder of one run, readable by its owner only."""

    def __init__(self, state: Path, run: RunId) -> None:
        self.run = run
        self.path = state / "runs" / run

    @property
    def content(self) -> Path:
        """The frozen copy of everything the plan depends on."""
        return self.path / "content"

    @property
    def samples(self) -> Path:
        """What the canary saw, as JSON lines."""
        return self.path / "samples.jsonl"

    @property
    def standing_samples(self) -> Path:
        """What the standing watch saw, if the run found one at work."""
        return standing_beside(self.samples)

    @property
    def driver_log(self) -> Path:
        """What the driving process printed, if anything."""
        return self.path / "driver.log"

    def freeze(self, plan: Plan, files: Mapping[str, bytes]) -> None:
        """Store *plan* and the content it was made of."""
        self.path.mkdir(parents=True, mode=0o700)
        (self.path / "plan.json").write_bytes(plan_to_text(plan))
        for name, text in files.items():
            file = self.content / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)

    def plan(self, digest: str) -> Plan:
        """Return the frozen plan.

        Raises:
            JournalBroken: If it is not there or is not the one of *digest*.
        """
        try:
            plan = plan_from_text((self.path / "plan.json").read_bytes())
        except OSError as error:
            raise JournalBroken(f"the frozen plan cannot be read: {error}") from error
        if plan.digest != digest:
            raise JournalBroken(
                f"{self.path / 'plan.json'} is not the plan that was shown "
                f"(digest {plan.digest[:12]}, wanted {digest[:12]}): start a new run"
            )
        return plan

    def keep(self, name: str, text: str) -> str:
        """Store *text* under *name*; of a very long one the head and the tail.

        Raises:
            JournalBroken: If there is no room for it, so that the run stops mutating.
        """
        if len(text) > OUTPUT_LIMIT:
            half = OUTPUT_LIMIT // 2
            text = f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"
        kept_as = self.path / "output" / name
        try:
            kept_as.parent.mkdir(parents=True, exist_ok=True)
            kept_as.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise JournalBroken(f"the run's output cannot be kept: {error}") from error
        return f"output/{name}"

    @contextmanager
    def driving(self) -> Iterator[None]:
        """Be the one driver of this run; the kernel ends it with the process.

        Raises:
            RequestRefused: If another process drives it.
        """
        with self._driver_lock.open("w") as lock:
            try:
                fcntl.fcntl(lock, fcntl.F_OFD_SETLK, _WHOLE_FILE)
            except BlockingIOError as error:
                raise RequestRefused(f"run {self.path.name} has a driver already") from error
            yield

    def has_driver(self) -> bool:
        """Tell whether a living process drives this run.

        The kernel is asked, and nothing is locked: a driver that starts now must not be refused.
        """
        try:
            with self._driver_lock.open("rb") as lock:
                answer = fcntl.fcntl(lock, fcntl.F_OFD_GETLK, _WHOLE_FILE)
        except FileNotFoundError:
            return False
        holds, *_ = struct.unpack(_FLOCK, answer)
        return bool(holds != fcntl.F_UNLCK)

    def write(self, name: str, text: str) -> Path:
        """Write a file that readers find whole or not at all, and return its path."""
        file = self.path / name
        draft = self.path / f".{name}.{os.getpid()}"
        draft.write_text(text)
        draft.replace(file)
        return file

    def last_words(self) -> Sequence[str]:
        """Return the last lines that a driver printed."""
        try:
            lines = self.driver_log.read_text(errors="replace").splitlines()
        except OSError:
            return ()
        return lines[-LAST_WORDS:]

    @property
    def _driver_lock(self) -> Path:
        return self.path / "driver.lock"
