"""An SSH channel as a local socket, for a client library that wants to connect by itself."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import paramiko

from orchestrator.adapters.ssh_commands import hang_up

CHUNK_BYTES = 32 * 1024
PORT = 5432
"""Only a part of the socket's name, as libpq forms it."""
_ENDINGS = (OSError, EOFError, paramiko.SSHException)
"""Ways in which either side may go away while the other still talks: what follows is an end."""


@contextmanager
def socket_for(channel: paramiko.Channel) -> Iterator[tuple[str, int]]:
    """Give the folder and port at which libpq finds *channel*, once.

    A Unix socket in a folder of ours: nobody else on this machine can take the connection.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="recover-tunnel-"))
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(Path(folder) / f".s.PGSQL.{PORT}"))
        listener.listen(1)
        threading.Thread(
            target=_serve, args=(listener, channel), name="ssh-tunnel", daemon=True
        ).start()
        try:
            yield folder, PORT
        finally:
            # Wakes a thread that still waits for a client which never came.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, channel: paramiko.Channel) -> None:
    with suppress(*_ENDINGS):
        client, _ = listener.accept()
        with client:
            back = threading.Thread(target=_copy_back, args=(channel, client), daemon=True)
            back.start()
            while chunk := client.recv(CHUNK_BYTES):
                channel.sendall(chunk)
            hang_up(channel)
            back.join()


def _copy_back(channel: paramiko.Channel, client: socket.socket) -> None:
    with suppress(*_ENDINGS):
        while chunk := channel.recv(CHUNK_BYTES):
            client.sendall(chunk)
        client.shutdown(socket.SHUT_RDWR)
