"""A small web server that answers what a test wants, or breaks off."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one path answers.

    Attributes:
        breaks_off: Hang up instead of answering.
        echoes: Answer with the body of the request.
    """

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks_off: bool = False
    echoes: bool = False


@contextmanager
def web_server(pages: Mapping[str, Page]) -> Iterator[str]:
    """Serve *pages* by path and give the address; whatever else is asked for is silence."""
    is_over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            if page is None:
                is_over.wait()
            elif page.breaks_off:
                self.connection.close()
            else:
                self._answer(page)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def _answer(self, page: Page) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length) if page.echoes else page.body.encode()
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        is_over.set()
        server.shutdown()
        thread.join()
