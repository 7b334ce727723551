"""Plain SSH connections that stay open, as an engineer with a prepared terminal has them."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import paramiko

from orchestrator.lab.topology import Host
from tests.support.lab import Lab

CONNECT_S = 10.0
CHUNK_BYTES = 64 * 1024


class CommandFailed(Exception):
    """A command on a host of the lab exited with an error."""


class WarmSsh:
    """One open connection to each host; a host that was switched off gets a new one."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._clients = {host.name: _connect(lab, host) for host in lab.blueprint.hosts}

    def close(self) -> None:
        """Hang up."""
        for client in self._clients.values():
            client.close()

    def run(self, host: str, argv: Sequence[str], *, stdin: str = "") -> str:
        """Run *argv* on *host* and return what it printed.

        Raises:
            CommandFailed: If it exits with an error.
        """
        with closing(self.start(host, argv, stdin=stdin)) as channel:
            printed, said, exit_code = finish(channel)
        if exit_code:
            raise CommandFailed(f"{host}: {shlex.join(argv)}: {said or printed}")
        return printed

    def start(self, host: str, argv: Sequence[str], *, stdin: str = "") -> paramiko.Channel:
        """Start *argv* on *host*; its standard input stays open until `finish`."""
        channel = self._transport(host).open_session(timeout=CONNECT_S)
        channel.exec_command(shlex.join(argv))
        channel.sendall(stdin.encode())
        return channel

    def _transport(self, host: str) -> paramiko.Transport:
        transport = self._clients[host].get_transport()
        if transport is None or not transport.is_active():
            self._clients[host].close()
            self._clients[host] = _connect(self._lab, self._lab.host(host))
            transport = self._clients[host].get_transport()
        if transport is None:
            raise CommandFailed(f"{host}: the connection is closed")
        return transport


def finish(channel: paramiko.Channel) -> tuple[str, str, int]:
    """End a command's input and wait for its end: both its outputs and its exit code."""
    channel.shutdown_write()
    printed = b"".join(iter(lambda: channel.recv(CHUNK_BYTES), b""))
    said = b"".join(iter(lambda: channel.recv_stderr(CHUNK_BYTES), b""))
    return printed.decode(), said.decode(), channel.recv_exit_status()


@contextmanager
def warm_ssh(lab: Lab) -> Iterator[WarmSsh]:
    """Connect to every host of the lab, and hang up at the end."""
    with closing(WarmSsh(lab)) as ssh:
        yield ssh


def _connect(lab: Lab, host: Host) -> paramiko.SSHClient:
    port = lab.blueprint.ports.ssh
    client = paramiko.SSHClient()
    client.load_host_keys(str(lab.home / "ssh" / "known_hosts"))
    connected = socket.create_connection((host.management, port), timeout=CONNECT_S)
    # With Nagle each command would cost 40 ms, which nobody's hands deserve.
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.connect(
        host.management,
        port=port,
        username="root",
        key_filename=str(lab.home / "ssh" / "id_ed25519"),
        allow_agent=False,
        look_for_keys=False,
        sock=connected,
    )
    return client
