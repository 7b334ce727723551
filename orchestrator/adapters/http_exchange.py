"""HTTP requests that end in time, follow no redirect and go where content says, nowhere else."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.output import BoundedOutput
from orchestrator.adapters.trouble import Trouble, Troubled, TroubleKind, first_line

SOONEST_S = 0.001
BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A complete answer; a body beyond 1 MiB is cut."""

    status: int
    text: str


class HttpExchange:
    """Sends requests each over a connection of its own. Safe to use from several threads."""

    def __init__(self) -> None:
        # Surroundings could name a proxy or a certificate store: they are not asked.
        # A kept connection may have died unseen, and its loss would count as sent.
        self._client = httpx.Client(
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def send(
        self,
        method: str,
        url: str,
        *,
        deadline: Deadline,
        json: object = None,
    ) -> Reply | Trouble:
        """Send one request and read the answer, never longer than until *deadline*."""
        try:
            with _http_errors(url, deadline):
                _refuse_link_local(url)
                timeout = max(SOONEST_S, deadline.left_s)
                with self._client.stream(method, url, json=json, timeout=timeout) as reply:
                    return Reply(status=reply.status_code, text=_read(reply, deadline))
        except Troubled as error:
            return error.trouble

    def close(self) -> None:
        """Close what is open."""
        self._client.close()


def _read(reply: httpx.Response, deadline: Deadline) -> str:
    body = BoundedOutput(head_bytes=BODY_BYTES, tail_bytes=0)
    for chunk in reply.iter_bytes():
        body.add(chunk)
        # Each single read is bounded by httpx; a body that drips is bounded here.
        if deadline.is_over:
            raise httpx.ReadTimeout("the answer did not end")
    return body.text


@contextmanager
def _http_errors(url: str, deadline: Deadline) -> Iterator[None]:
    """Map what httpx raises; whatever fails before the connection stands was not sent."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        kind, detail, was_sent = _diagnose(error, deadline)
        trouble = Trouble(kind=kind, detail=f"{url}: {detail}", was_sent=was_sent)
        raise Troubled(trouble) from error


def _diagnose(
    error: httpx.HTTPError | httpx.InvalidURL, deadline: Deadline
) -> tuple[TroubleKind, str, bool]:
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return TroubleKind.UNREACHABLE, f"nobody answered within {deadline}", False
        case httpx.ConnectError() if "refused" in str(error):
            return TroubleKind.REFUSED, "nothing listens there", False
        case httpx.ConnectError():
            return TroubleKind.UNREACHABLE, first_line(error), False
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return TroubleKind.ERROR, first_line(error), False
        case httpx.TimeoutException():
            return TroubleKind.HUNG, f"no answer within {deadline}", True
        case _:
            return TroubleKind.LOST, f"the connection broke: {first_line(error)}", True


def _refuse_link_local(url: str) -> None:
    """Raise if *url* leads to this machine's own cloud metadata."""
    host = httpx.URL(url).host
    for address in _addresses_of(host):
        if address.is_link_local:
            detail = f"{url}: {address} is link-local, where cloud metadata lives: not asked"
            raise Troubled(Trouble(kind=TroubleKind.REJECTED, detail=detail))


def _addresses_of(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []  # The request itself tells better what is wrong.
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
