"""Requests of a journey, by httpx, bounded in time and size."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast
from urllib.parse import quote

import httpx

from orchestrator.adapters.journey_replies import ActionFailed, DeadlinePassed, Reply
from orchestrator.domain.journey import fill

_LARGEST_REPLY_BYTES = 1024 * 1024


class JourneyBrowser:
    """One user's HTTP client for one walk: connections of its own, no proxy, no redirects."""

    def __init__(self, tls: ssl.SSLContext, *, deadline: float) -> None:
        self._client = httpx.Client(verify=tls, trust_env=False)
        self._deadline = deadline

    def request(self, inputs: Mapping[str, object], values: Mapping[str, object]) -> Reply:
        """Send one request, its references filled from *values*.

        Raises:
            ActionFailed: If there is no reply, or an impossible one.
        """
        rest = {name: value for name, value in inputs.items() if name != "url"}
        filled = cast(Mapping[str, object], fill(rest, values))
        with _failures():
            request = self._client.build_request(
                str(filled.get("method", "GET")),
                str(fill(inputs["url"], _quoted(values))),
                json=filled.get("json"),
                headers=_headers(filled.get("headers", {})),
                timeout=self._time_left(),
            )
            response = self._client.send(request, stream=True)
            try:
                body = self._read(response)
            finally:
                response.close()
        return {"status": response.status_code, "json": _json(body)}

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _read(self, response: httpx.Response) -> bytes:
        """Read the body, guarding against one that trickles or never ends."""
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            self._time_left()
            if len(body) > _LARGEST_REPLY_BYTES:
                raise ActionFailed(f"reply is larger than {_LARGEST_REPLY_BYTES} bytes")
        return bytes(body)

    def _time_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise DeadlinePassed("the walk's deadline passed")
        return left


def _quoted(values: Mapping[str, object]) -> Mapping[str, object]:
    """A kept value is one piece of a path, whatever characters a target put into it."""
    return {
        name: value if name.startswith("place.") else quote(str(value), safe="")
        for name, value in values.items()
    }


def _headers(headers: object) -> dict[str, str]:
    pairs = cast(Mapping[str, object], headers).items()
    return {name: str(value) for name, value in pairs}


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


@contextmanager
def _failures() -> Iterator[None]:
    """Map whatever httpx raises."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise DeadlinePassed(f"no answer in time ({type(error).__name__})") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
        raise ActionFailed(f"{type(error).__name__}: {error}") from error
