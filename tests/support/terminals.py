"""``recover`` at a terminal: a pseudo-terminal whose other end a test holds."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.command_line import RECOVER, ROOT, surroundings
from tests.support.waiting import wait_until


@dataclass(kw_only=True)
class Terminal:
    """One command at a terminal; everything that it wrote, escape sequences included."""

    process: subprocess.Popen[bytes]
    end: int
    shown: str = field(default="")

    def await_text(self, text: str) -> None:
        def is_shown() -> bool:
            self._read()
            return text in self.shown

        wait_until(is_shown, f"{text!r} on the terminal, which shows {self.shown!r}")

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    def leave(self) -> int:
        """Wait for the end, and return the exit code."""

        def has_left() -> bool:
            self._read()
            return self.process.poll() is not None

        wait_until(has_left, f"the end of the command, which shows {self.shown!r}")
        self._read()
        return self.process.returncode

    def _read(self) -> None:
        while select.select([self.end], [], [], 0)[0]:
            try:
                self.shown += os.read(self.end, 65536).decode(errors="replace")
            except OSError:
                return


@contextmanager
def at_terminal(*args: str, env: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run ``recover`` with *args* at a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        # Its controlling terminal, so that Ctrl-C arrives as at a real one.
        ["setsid", "--ctty", *RECOVER, *args],
        cwd=ROOT,
        env=env or surroundings(TERM="xterm"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Terminal(process=process, end=ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
