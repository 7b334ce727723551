"""What a canary is told, as JSON on its standard input: passwords never stand in an argv."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ConfigDict, TypeAdapter, ValidationError

from orchestrator.adapters.canary.nest import RequestInvalid, check_run
from orchestrator.adapters.journey_walker import Surroundings
from orchestrator.domain.canonical import canonical_json
from orchestrator.domain.journey import Journey

_TABLE = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerSpec:
    """How numbered marker writes are sent.

    Attributes:
        database: libpq's connection parameters, as clients use them: through the pooler.
        every_ms: Time between two of them, if none takes longer.
        deadline_s: After this long a write that was sent is *unknown*.
        connect_s: After this long a connection attempt is given up.
    """

    database: Mapping[str, str | int] = field(repr=False)
    table: str = "recover_marker"
    every_ms: float = 10
    deadline_s: float = 5
    connect_s: float = 1

    def __post_init__(self) -> None:
        if not _TABLE.fullmatch(self.table):
            raise ValueError("table must be a plain SQL name")
        if min(self.every_ms, self.deadline_s, self.connect_s) <= 0:
            raise ValueError("times must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkSpec:
    """How the journey is walked, again and again.

    Attributes:
        journey: Bound: its places are base URLs.
        surroundings: Ways to its databases, and its secrets.
        every_ms: Time between two starts, if no walk takes longer.
        deadline_s: After this long a walk has failed.
    """

    journey: Journey
    surroundings: Surroundings
    every_ms: float = 200
    deadline_s: float = 5

    def __post_init__(self) -> None:
        if min(self.every_ms, self.deadline_s) <= 0:
            raise ValueError("times must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class CanarySpec:
    """One canary.

    Attributes:
        run: The run it watches; marker rows, receipts and files carry it.
        markers: Left out, no markers are written.
        walks: Left out, no journey is walked.
        max_duration_s: It ends by itself after this long, should nobody stop it; left empty,
            it lives until it is stopped.
        turn_bytes: Its file is turned over when it is longer, and the one before it is kept;
            zero keeps all.
    """

    run: str
    markers: MarkerSpec | None = None
    walks: WalkSpec | None = None
    max_duration_s: float | None = 3600
    turn_bytes: int = 0

    def __post_init__(self) -> None:
        check_run(self.run)
        if self.markers is None and self.walks is None:
            raise ValueError("neither markers nor walks: nothing to watch")


# Frozen dataclasses know nothing of pydantic; unknown keys must be errors all the same.
for _kind in (CanarySpec, MarkerSpec, WalkSpec, Surroundings):
    _kind.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[union-attr]

_ADAPTER = TypeAdapter(CanarySpec)


def write_spec(spec: CanarySpec) -> bytes:
    """Return *spec* as the JSON that `read_spec` reads. It holds passwords."""
    return canonical_json(spec)


def read_spec(text: bytes) -> CanarySpec:
    """Read what `write_spec` wrote.

    Raises:
        RequestInvalid: With every problem, and no value, which may be a password.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        problems = (
            ".".join(map(str, problem["loc"])) + ": " + problem["msg"]
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise RequestInvalid("; ".join(problems)) from None
