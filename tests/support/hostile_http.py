"""An HTTP server that answers whatever a test wants, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class HostileHttp:
    """Replies by path; anything else is not found."""

    replies: Mapping[str, bytes]
    url: str = ""
    asked: list[str] = field(default_factory=list)
    trickle: threading.Event = field(default_factory=threading.Event)


@contextmanager
def hostile_http(replies: Mapping[str, bytes]) -> Iterator[HostileHttp]:
    """Serve *replies*; a path that begins with ``/trickle`` sends a byte now and then."""
    hostile = HostileHttp(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hostile.asked.append(self.path)
            body = hostile.replies.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if not self.path.startswith("/trickle"):
                self.wfile.write(body or b"")
                return
            for byte in body or b"":
                if hostile.trickle.wait(0.05):
                    return
                self.wfile.write(bytes([byte]))

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                hostile.trickle.set()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hostile.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield hostile
        finally:
            hostile.trickle.set()
            server.shutdown()
            thread.join()
