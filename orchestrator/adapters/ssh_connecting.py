"""One SSH connection: how it is opened, which host keys count, what its failures mean."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
from fabric import Config, Connection

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.targets import login_of
from orchestrator.adapters.tcp import dial
from orchestrator.adapters.trouble import Trouble, Troubled, TroubleKind, first_line
from orchestrator.domain.environment import Host, Ssh

KEEPALIVE_S = 2
UNACKNOWLEDGED_MS = 6_000
"""The kernel gives up a connection whose bytes were not acknowledged for so long."""
CONNECT_FAILED = 2
"""Code of a `paramiko.ChannelException`: the host tried to connect. Source: RFC 4254, 5.1."""
REFUSED_BY_FAR_SIDE = 0xFE000001
NO_WAY_THERE = 0xFE000002
"""Codes of our own, from the range that RFC 4254 leaves to private use."""
_TOLD_REASONS = {
    "Connection refused": REFUSED_BY_FAR_SIDE,
    "Network is unreachable": NO_WAY_THERE,
}


def connect(host: Host, ssh: Ssh, secrets: SecretStore, deadline: Deadline) -> Connection:
    """Log in to *host*, if it has the pinned host key.

    Raises:
        Troubled: Nothing was sent to the host but a login.
    """
    user, port = login_of(host)
    connection = Connection(
        host.reached_at, user=user, port=port, config=_unconfigured(), gateway=False
    )
    connection.client.set_missing_host_key_policy(_OnlyPinned())
    with ssh_errors(host, deadline):
        connection.client.load_host_keys(str(secrets.path(ssh.known_hosts)))
        connection.connect_kwargs.update(
            sock=_dial_ssh(host, port, deadline),
            key_filename=str(secrets.path(ssh.identity)),
            allow_agent=False,
            look_for_keys=False,
            timeout=deadline.left_s,
            banner_timeout=deadline.left_s,
            auth_timeout=deadline.left_s,
            transport_factory=_TellingTransport,
        )
        try:
            connection.open()
        except BaseException:
            connection.client.close()
            connection.connect_kwargs["sock"].close()
            raise
    connection.transport.set_keepalive(KEEPALIVE_S)
    return connection


@contextmanager
def ssh_errors(host: Host, deadline: Deadline, *, was_sent: bool = False) -> Iterator[None]:
    """Map what paramiko and sockets raise to a `Trouble` of *host*."""
    try:
        yield
    except (paramiko.SSHException, OSError, EOFError) as error:
        kind, detail = _diagnose(error, deadline)
        trouble = Trouble(kind=kind, detail=f"{host.name}: {detail}", was_sent=was_sent)
        raise Troubled(trouble) from error


def _diagnose(
    error: paramiko.SSHException | OSError | EOFError, deadline: Deadline
) -> tuple[TroubleKind, str]:
    match error:
        case paramiko.BadHostKeyException():
            return TroubleKind.REJECTED, "its host key is not the pinned one: find out who answers"
        case paramiko.AuthenticationException():
            return TroubleKind.REJECTED, f"it does not let us in: {first_line(error)}"
        case paramiko.ChannelException():
            return TroubleKind.REJECTED, f"it opens no channel: {error.text}"
        case _ if deadline.is_over:
            return TroubleKind.HUNG, f"no answer over SSH within {deadline}"
        case FileNotFoundError() | PermissionError():
            return TroubleKind.REJECTED, f"{error.filename}: {error.strerror}"
        case _:
            return TroubleKind.LOST, f"the SSH connection broke: {first_line(error)}"


class _TellingTransport(paramiko.Transport):
    """Keeps what paramiko drops: why the server could not connect a tunnel."""

    def _parse_channel_open_failure(self, m: paramiko.Message) -> None:
        channel, code, reason, language = m.get_int(), m.get_int(), m.get_text(), m.get_text()
        told = paramiko.Message()
        told.add_int(channel)
        told.add_int(_TOLD_REASONS.get(reason, code))
        told.add_string(reason)
        told.add_string(language)
        told.rewind()
        super()._parse_channel_open_failure(told)  # type: ignore[misc]


class _OnlyPinned(paramiko.MissingHostKeyPolicy):
    """Trusts nobody whose key is not in the environment's known hosts."""

    def missing_host_key(
        self, _client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        """Refuse a host of which nothing is known."""
        detail = f"{hostname}: no {key.get_name()} key is pinned for it in known_hosts"
        raise Troubled(Trouble(kind=TroubleKind.REJECTED, detail=detail))


def _unconfigured() -> Config:
    """Return a configuration that no file of this machine or user has a part in."""
    return Config(ssh_config=paramiko.SSHConfig(), lazy=True)


def _dial_ssh(host: Host, port: int, deadline: Deadline) -> socket.socket:
    connected = dial(host.reached_at, port, deadline)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    return connected
