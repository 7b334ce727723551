"""The canary as the controller uses it: by commands, as over SSH."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.adapters.canary.nest import Nest
from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary.spec import CanarySpec, MarkerSpec, WalkSpec, write_spec
from orchestrator.domain.observation import Heartbeat, MarkerWrite, Sample, Walk, WriteOutcome
from tests.support.real_shop import ROOT
from tests.support.waiting import wait_until

COMMAND = (sys.executable, "-m", "orchestrator", "canary")


@dataclass(frozen=True, slots=True, kw_only=True)
class RealCanary:
    """One run's canary in a directory of its own."""

    run: str
    directory: Path

    @property
    def nest(self) -> Nest:
        return Nest(self.directory, self.run)

    def spec(
        self,
        markers: MarkerSpec | None = None,
        walks: WalkSpec | None = None,
        *,
        max_duration_s: float = 60,
    ) -> bytes:
        return write_spec(
            CanarySpec(run=self.run, markers=markers, walks=walks, max_duration_s=max_duration_s)
        )

    def start(self, spec: bytes) -> dict[str, Any]:
        return answer_of(call("start", "--directory", str(self.directory), stdin=spec))

    def stop(self) -> dict[str, Any]:
        return answer_of(call("stop", "--directory", str(self.directory), "--run", self.run))

    def samples(self) -> list[Sample]:
        read = call("read", "--directory", str(self.directory), "--run", self.run)
        assert read.returncode == 0, read.stdout
        return list(read_samples(read.stdout.splitlines()))

    def written(self) -> list[Sample]:
        """Read the file directly, which is quicker."""
        with self.nest.samples.open("rb") as file:
            return list(read_samples(file))

    def wait_for(self, number: int, kind: type[Sample], *, after: int = 0) -> list[Sample]:
        """Wait until there are so many more samples of *kind* than *after*."""

        def are_there() -> bool:
            return sum(isinstance(s, kind) for s in self.written()) >= after + number

        wait_until(are_there, f"{number} more of {kind.__name__}")
        return self.written()


def call(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Call ``recover canary``."""
    return subprocess.run(
        [*COMMAND, *words], input=stdin, stdout=subprocess.PIPE, cwd=ROOT, check=False, timeout=60
    )


def answer_of(called: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(called.stdout)
    return answer


def markers_in(samples: Iterable[Sample], *outcomes: WriteOutcome) -> Sequence[MarkerWrite]:
    """The markers, in order, of the given outcomes or of all."""
    markers = [s for s in samples if isinstance(s, MarkerWrite)]
    return [m for m in markers if not outcomes or m.outcome in outcomes]


def walks_in(samples: Iterable[Sample]) -> Sequence[Walk]:
    return [s for s in samples if isinstance(s, Walk)]


def heartbeats_in(samples: Iterable[Sample]) -> Sequence[Heartbeat]:
    return [s for s in samples if isinstance(s, Heartbeat)]
