"""A way to a server that can be turned to another one, or swallow everything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 1 << 16


class Relay:
    """Listens on 127.0.0.1 and passes each connection on to ``target``.

    Attributes:
        target: Port for connections from now on; none swallows them, as a black hole would:
            they are accepted, and nothing is ever said.
    """

    def __init__(self, target: int | None) -> None:
        self.target = target
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: list[socket.socket] = []
        self._deaf: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def swallow(self) -> None:
        """Let connections that stand, and new ones, hang."""
        self.target = None
        self._deaf.update(self._open)

    def close(self) -> None:
        for end in (self._listening, *self._open):
            # Whoever waits for it in another thread would keep it open.
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(client)
            if self.target is not None:
                self._connect(client, self.target)

    def _connect(self, client: socket.socket, target: int) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", target))
        except OSError:
            client.close()
            return
        self._open.append(server)
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._pass_on, args=[source, sink], daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                if source not in self._deaf:
                    sink.sendall(chunk)
        if source not in self._deaf:
            with suppress(OSError):
                sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def a_relay(target: int | None) -> Iterator[Relay]:
    relay = Relay(target)
    try:
        yield relay
    finally:
        relay.close()
