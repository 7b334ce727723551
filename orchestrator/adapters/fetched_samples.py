"""What a canary saw, fetched piece by piece into a file beside the journal."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from orchestrator.adapters.canary.samples import SampleReader
from orchestrator.adapters.canary.stretches import position_in
from orchestrator.adapters.canary_host import READ_LIMIT, CanaryHost
from orchestrator.domain.observation import Sample

PAGE_BYTES = 1 << 20
_PAGE = ("--limit", str(PAGE_BYTES))


class FetchedSamples:
    """The samples of one canary. What was fetched is in the file before it is used.

    So a driver after us goes on from there, and a report needs no more than the file.
    """

    def __init__(self, canary: str, host: CanaryHost, file: Path) -> None:
        self._canary = canary
        self._host = host
        self.file = file
        self._fetching = threading.Lock()
        self._reader = SampleReader(canary)
        self._position = 0
        self._seen: list[Sample] = []
        self._is_caught_up = False

    def begin(self, reach: timedelta) -> Sequence[Sample]:
        """Fetch what a canary that is at work has seen so far back, once, and return it.

        Raises:
            TargetUnavailable: If none is at work.
        """
        if not self.file.exists():
            words = ("recall", "--run", self._canary, "--seconds", str(reach.total_seconds()))
            self._keep(self._host.call(*words, *_PAGE, within=READ_LIMIT).encode())
        return self.fetch()

    def fetch(self) -> Sequence[Sample]:
        """Fetch what is new, and return everything seen so far.

        Raises:
            TargetUnavailable: If it cannot be had. What was fetched before is kept.
        """
        with self._fetching:
            self._catch_up()
            while self._fetch_page() > PAGE_BYTES // 2:
                pass
            return tuple(self._seen)

    def _fetch_page(self) -> int:
        words = ("read", "--run", self._canary, "--offset", str(self._position))
        new = self._host.call(*words, *_PAGE, within=READ_LIMIT).encode()
        self._keep(new)
        self._take(new)
        return len(new)

    def _catch_up(self) -> None:
        """Take what an earlier driver has fetched, or the beginning."""
        if not self._is_caught_up and self.file.exists():
            self._take(self.file.read_bytes())
        self._is_caught_up = True

    def _keep(self, text: bytes) -> None:
        self.file.touch(mode=0o600)
        with self.file.open("ab") as file:
            file.write(text)

    def _take(self, text: bytes) -> None:
        for line in text.splitlines(keepends=True):
            told = position_in(line)
            self._position = self._position + len(line) if told is None else told
        self._seen.extend(self._reader.read(text.splitlines()))
