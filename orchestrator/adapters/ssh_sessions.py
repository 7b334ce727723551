"""SSH to the hosts of an environment: one connection a host, opened early and kept warm."""

from __future__ import annotations

import logging
import shlex
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import paramiko
from fabric import Connection

from orchestrator.adapters import ssh_connecting
from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.ssh_commands import Finished, execute, hang_up
from orchestrator.adapters.ssh_connecting import connect, ssh_errors
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.targets import host_of
from orchestrator.adapters.trouble import Trouble, Troubled, TroubleKind
from orchestrator.domain.environment import Environment, Host, HostName
from orchestrator.domain.errors import TargetUnavailable

FORBIDDEN_IN_ARGUMENTS = frozenset("\0\r\n")

STILL_ANSWERS_S = 0.2
"""A host through which a tunnel could not be opened in time has so long to show that it is not
the one who is silent."""

ChannelOpener = Callable[[paramiko.Transport], paramiko.Channel]


class _FarTroubled(Troubled):
    """The far side of a tunnel gave the trouble, not the host at which it begins."""


@dataclass(slots=True)
class _Link:
    """One connection, shared by all that talk to its host at the same time."""

    connection: Connection
    users: int = 0
    is_retired: bool = False

    @property
    def is_usable(self) -> bool:
        return not self.is_retired and bool(self.connection.is_connected)


class SshSessions:
    """Runs commands on hosts. A dead connection is replaced; safe to use from several threads."""

    def __init__(self, environment: Environment, secrets: SecretStore) -> None:
        self._environment = environment
        self._secrets = secrets
        self._links: dict[HostName, _Link] = {}
        self._counting = threading.Lock()
        self._connecting: defaultdict[HostName, threading.Lock] = defaultdict(threading.Lock)
        # What goes wrong is returned; paramiko would print it as well, with a traceback.
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)

    def warm(self, targets: Iterable[str], *, within: timedelta) -> None:
        """Open connections side by side, so that the first command need not. Never fails."""
        deadline = Deadline.after(within)

        def open_one(target: str) -> None:
            with suppress(Troubled):
                self._give_back(self._take(self._host(target), deadline))

        wanted = sorted(set(targets))
        with ThreadPoolExecutor(max_workers=len(wanted) or 1) as pool:
            list(pool.map(open_one, wanted))

    def run(
        self, target: str, argv: Sequence[str], *, deadline: Deadline, stdin: str = ""
    ) -> Finished | Trouble:
        """Run *argv* on the host of *target* and wait for its end.

        Arguments arrive as they are; one with a NUL or a line break is refused, for such data
        belongs into *stdin*.
        """
        host = self._host(target)
        try:
            command = _quoted(host, argv)
            with (
                self._channel(host, deadline, _open_session(deadline)) as channel,
                ssh_errors(host, deadline, was_sent=True),
            ):
                return execute(channel, command, stdin.encode(), deadline) or _late(host, deadline)
        except Troubled as error:
            return error.trouble

    @contextmanager
    def channel_to(
        self, via: str, address: str, port: int, *, deadline: Deadline
    ) -> Iterator[paramiko.Channel]:
        """Connect from the host *via* to *address*, as it is seen from there.

        Raises:
            Troubled: By *address*; ``REFUSED`` only if the far machine itself said so.
            TargetUnavailable: By *via*, so that nothing is known of *address*.
        """
        host = self._host(via)
        try:
            link, channel = self._open(host, deadline, _open_tunnel(host, address, port, deadline))
        except _FarTroubled:
            raise
        except Troubled as error:
            raise TargetUnavailable(str(error)) from error
        with self._lent(link, channel):
            yield channel

    def close(self) -> None:
        """Close every connection; a later command opens a new one."""
        with self._counting:
            links = list(self._links.values())
            self._links.clear()
        for link in links:
            link.connection.close()

    def _host(self, target: str) -> Host:
        return host_of(self._environment, target)

    @contextmanager
    def _channel(
        self, host: Host, deadline: Deadline, open_channel: ChannelOpener
    ) -> Iterator[paramiko.Channel]:
        link, channel = self._open(host, deadline, open_channel)
        with self._lent(link, channel):
            try:
                yield channel
            finally:
                link.is_retired |= deadline.is_over

    @contextmanager
    def _lent(self, link: _Link, channel: paramiko.Channel) -> Iterator[paramiko.Channel]:
        try:
            yield channel
        finally:
            hang_up(channel)
            self._give_back(link)

    def _open(
        self, host: Host, deadline: Deadline, open_channel: ChannelOpener
    ) -> tuple[_Link, paramiko.Channel]:
        """Open a channel; if the warm connection turns out dead, once more on a new one."""
        try:
            return self._open_once(host, deadline, open_channel)
        except Troubled as error:
            if error.trouble.kind is not TroubleKind.LOST:
                raise
        return self._open_once(host, deadline, open_channel)

    def _open_once(
        self, host: Host, deadline: Deadline, open_channel: ChannelOpener
    ) -> tuple[_Link, paramiko.Channel]:
        link = self._take(host, deadline)
        try:
            with ssh_errors(host, deadline):
                return link, open_channel(link.connection.transport)
        except Troubled as error:
            link.is_retired |= error.trouble.kind in {TroubleKind.HUNG, TroubleKind.LOST}
            self._give_back(link)
            raise

    def _take(self, host: Host, deadline: Deadline) -> _Link:
        with self._counting:
            connecting = self._connecting[host.name]
        with _held(connecting, host, deadline):
            link = self._links.get(host.name)
            if link is None or not link.is_usable:
                connection = connect(host, self._environment.ssh, self._secrets, deadline)
                link = self._links[host.name] = _Link(connection)
            with self._counting:
                link.users += 1
            return link

    def _give_back(self, link: _Link) -> None:
        with self._counting:
            link.users -= 1
            is_over = link.is_retired and link.users == 0
        if is_over:
            link.connection.close()


@contextmanager
def _held(lock: threading.Lock, host: Host, deadline: Deadline) -> Iterator[None]:
    if not lock.acquire(timeout=deadline.left_s):
        raise Troubled(_late(host, deadline, was_sent=False))
    try:
        yield
    finally:
        lock.release()


def _open_session(deadline: Deadline) -> ChannelOpener:
    return lambda transport: transport.open_session(timeout=deadline.left_s)


def _open_tunnel(host: Host, address: str, port: int, deadline: Deadline) -> ChannelOpener:
    where = f"{address}:{port}"

    def open_tunnel(transport: paramiko.Transport) -> paramiko.Channel:
        try:
            return transport.open_channel(
                "direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=deadline.left_s
            )
        except paramiko.ChannelException as error:
            raise _not_tunnelled(host, where, error) from error
        except paramiko.SSHException as error:
            if not (deadline.is_over and _still_answers(transport)):
                raise
            detail = f"{where}, seen from {host.name}: nobody answered within {deadline}"
            silence = Trouble(kind=TroubleKind.UNREACHABLE, detail=detail)
            raise _FarTroubled(silence) from error

    return open_tunnel


def _still_answers(transport: paramiko.Transport) -> bool:
    try:
        hang_up(transport.open_session(timeout=STILL_ANSWERS_S))
    except paramiko.ChannelException:
        return True
    except (paramiko.SSHException, OSError, EOFError):
        return False
    return True


def _quoted(host: Host, argv: Sequence[str]) -> str:
    """Return *argv* for the remote shell, which takes every word as it is."""
    if not argv or any(FORBIDDEN_IN_ARGUMENTS & set(argument) for argument in argv):
        detail = f"{host.name}: a command is words without NUL and line breaks; use stdin for data"
        raise Troubled(Trouble(kind=TroubleKind.ERROR, detail=detail))
    return shlex.join(argv)


def _late(host: Host, deadline: Deadline, *, was_sent: bool = True) -> Trouble:
    detail = f"{host.name}: no end over SSH within {deadline}"
    return Trouble(kind=TroubleKind.HUNG, detail=detail, was_sent=was_sent)


def _not_tunnelled(host: Host, where: str, error: paramiko.ChannelException) -> Troubled:
    """Return what to raise: of the far side only where *host* has really tried to connect."""
    seen = f"{where}, seen from {host.name}"
    match error.code:
        case ssh_connecting.REFUSED_BY_FAR_SIDE:
            detail = f"{seen}: nothing listens there"
            return _FarTroubled(Trouble(kind=TroubleKind.REFUSED, detail=detail))
        case ssh_connecting.CONNECT_FAILED:
            detail = f"{seen}: nobody answers the connect"
            return _FarTroubled(Trouble(kind=TroubleKind.UNREACHABLE, detail=detail))
        case ssh_connecting.NO_WAY_THERE:
            detail = f"{seen}: no way leads there"
            return Troubled(Trouble(kind=TroubleKind.REJECTED, detail=detail))
        case _:
            detail = f"{seen}: no tunnel, {error.text.lower()}"
            return Troubled(Trouble(kind=TroubleKind.REJECTED, detail=detail))
