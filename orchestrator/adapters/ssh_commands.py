"""One command over an open SSH channel: bounded in time and in memory."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import paramiko

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.output import BoundedOutput

CHUNK_BYTES = 64 * 1024
STRAGGLERS = timedelta(milliseconds=200)
"""How long output may still come after the exit status; a daemon may hold it open for ever."""
STATUS_POLL_MS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A remote command that came to its end.

    Attributes:
        exit_code: ``-1`` if a signal ended it.
        stdout: Head and tail if it was long.
    """

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both streams, standard error last."""
        return "\n".join(filter(None, (self.stdout, self.stderr)))

    @property
    def summary(self) -> str:
        """Exit code, and what a failed command said last."""
        last_words = (self.stderr or self.stdout).strip().splitlines()[-1:]
        said = f": {last_words[0][:300]}" if self.exit_code and last_words else ""
        return f"exit {self.exit_code}{said}"


def execute(
    channel: paramiko.Channel, command: str, stdin: bytes, deadline: Deadline
) -> Finished | None:
    """Run *command* and wait for its end; ``None`` if that does not come in time.

    At the deadline the channel is closed; the remote program may go on all the same.

    Raises:
        paramiko.SSHException: If the channel or its connection broke.
    """
    with _closed_at(deadline, channel):
        channel.exec_command(command)
        _feed(channel, stdin)
        stdout, stderr = _collect(channel, deadline)
        if channel.exit_status < 0:
            if deadline.is_over:
                return None
            if not channel.get_transport().is_active():
                raise paramiko.SSHException("the connection broke while the command ran")
        return Finished(exit_code=channel.exit_status, stdout=stdout.text, stderr=stderr.text)


def end_input(channel: paramiko.Channel) -> None:
    """Say that no more input comes, and say it before paramiko answers a close.

    `Channel.shutdown_write` sends after it has let go of the lock. If the far side closes the
    channel in between, the answer overtakes the message, and OpenSSH hangs up on every channel of
    a connection on which a channel that is gone is spoken of.
    """
    with channel.lock:
        # Nothing public sends under the lock.
        message = channel._send_eof()  # type: ignore[attr-defined]  # noqa: SLF001
        if message is not None:
            transport = channel.get_transport()
            transport._send_user_message(message)  # type: ignore[attr-defined]  # noqa: SLF001


def hang_up(channel: paramiko.Channel) -> None:
    """Close *channel*; on a connection that has just died, paramiko would raise."""
    with suppress(paramiko.SSHException, OSError, EOFError):
        channel.close()


@contextmanager
def _closed_at(deadline: Deadline, channel: paramiko.Channel) -> Iterator[None]:
    """Close *channel* at *deadline*: paramiko waits without limit for some answers."""
    is_finished = threading.Event()

    def watch() -> None:
        if is_finished.wait(deadline.left_s):
            return
        # A close that falls between two lines of exec_command is overlooked by it: ring again.
        while not is_finished.wait(0.1):
            hang_up(channel)
            channel.event.set()

    threading.Thread(target=watch, name="ssh-deadline", daemon=True).start()
    try:
        yield
    finally:
        is_finished.set()
        hang_up(channel)


def _feed(channel: paramiko.Channel, stdin: bytes) -> None:
    # A command that does not read its input may be gone before all of it was sent.
    with suppress(OSError):
        if stdin:
            channel.sendall(stdin)
        end_input(channel)


def _collect(channel: paramiko.Channel, deadline: Deadline) -> tuple[BoundedOutput, BoundedOutput]:
    """Read both streams until they end, or until only a daemon can still hold them open."""
    stdout, stderr = BoundedOutput(), BoundedOutput()
    readiness = select.poll()
    readiness.register(channel.fileno(), select.POLLIN)
    stragglers: Deadline | None = None
    while not (deadline.is_over or (stragglers and stragglers.is_over)):
        readiness.poll(STATUS_POLL_MS)
        is_last = channel.eof_received or channel.closed
        _drain(channel, stdout, stderr)
        if is_last:
            channel.status_event.wait(deadline.left_s)
            break
        if channel.status_event.is_set():
            stragglers = stragglers or Deadline.after(STRAGGLERS)
    return stdout, stderr


def _drain(channel: paramiko.Channel, stdout: BoundedOutput, stderr: BoundedOutput) -> None:
    while channel.recv_ready():
        stdout.add(channel.recv(CHUNK_BYTES))
    while channel.recv_stderr_ready():
        stderr.add(channel.recv_stderr(CHUNK_BYTES))
