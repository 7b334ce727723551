"""The instrument: the product's own marker writer on the client host, for both sides alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary.spec import CanarySpec, MarkerSpec, write_spec
from orchestrator.domain.observation import Found, Measurement, Watcher
from orchestrator.engine.watching import measure
from orchestrator.lab.postgresql import SHOP_DATABASE
from orchestrator.lab.topology import Role
from tests.bench.roles import await_calm
from tests.bench.warm_ssh import WarmSsh
from tests.support.lab import Lab

CLIENT = "client-1"
ACCOUNT = "canary"
MARKER_EVERY_MS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What users had of one trial.

    Attributes:
        longest_gap_ms: The longest time between two acknowledged writes.
        failed: Writes that were refused, or whose fate the client does not know.
        lost: Writes that were acknowledged and are gone, or are there twice.
    """

    longest_gap_ms: float
    acknowledged: int
    failed: int
    lost: int
    errors: tuple[str, ...]
    doubts: tuple[str, ...]


class Watch:
    """A canary that is at work; ``seen`` tells once it has stopped."""

    def __init__(self, lab: Lab, ssh: WarmSsh, name: str) -> None:
        self._lab = lab
        self._ssh = ssh
        self._name = name

    def start(self) -> None:
        """Start it; returns once the first write was acknowledged."""
        markers = MarkerSpec(database=self._way_in(), every_ms=MARKER_EVERY_MS)
        spec = CanarySpec(run=self._name, markers=markers)
        self._canary("start", stdin=write_spec(spec).decode())

    def stop(self) -> Seen:
        """Stop it and say what it saw."""
        self._canary("stop", "--run", self._name)
        lines = self._canary("read", "--run", self._name).encode().splitlines()
        samples = list(read_samples(lines))
        return _sum_up(measure(samples, (), found=self._count(), watchers=[Watcher.MARKERS]))

    def _canary(self, *words: str, stdin: str = "") -> str:
        return self._ssh.run(CLIENT, ["recover", "canary", *words], stdin=stdin)

    def _way_in(self) -> dict[str, str | int]:
        return {
            "host": self._lab.blueprint.having(Role.POOLER)[0].address,
            "port": self._lab.blueprint.ports.pgbouncer,
            "dbname": SHOP_DATABASE,
            "user": ACCOUNT,
            "password": self._lab.secret(ACCOUNT),
        }

    def _count(self) -> Found:
        primary = await_calm(self._lab).primary
        with closing(self._lab.connect(primary, user=ACCOUNT)) as session:
            rows = session.execute(
                "select seq::int, count(*)::int from recover_marker where run = %s group by seq",
                (self._name,),
            ).fetchall()
        return {
            seq: count for seq, count in rows if isinstance(seq, int) and isinstance(count, int)
        }


@contextmanager
def watching(lab: Lab, ssh: WarmSsh, name: str) -> Iterator[Watch]:
    """Watch as *name*; the canary ends with the block, whatever happens in it."""
    watch = Watch(lab, ssh, name)
    watch.start()
    try:
        yield watch
    finally:
        ssh.run(CLIENT, ["recover", "canary", "stop", "--run", name])


def _sum_up(measured: Measurement) -> Seen:
    assert measured.gaps is not None, f"hardly a write was acknowledged: {measured.doubts}"
    writes = measured.writes
    return Seen(
        longest_gap_ms=measured.gaps.longest / timedelta(milliseconds=1),
        acknowledged=writes.acknowledged,
        failed=writes.failed + writes.unknown,
        lost=len(writes.lost) + len(writes.duplicate),
        errors=tuple(f"{error.count} × {error.error}" for error in measured.errors),
        doubts=measured.doubts,
    )
