"""Which faults are in force: written down before they strike, so that none is forgotten."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from orchestrator.lab.files import File, write_file
from orchestrator.lab.record import ROOT

_FILE = ROOT / "faults.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A fault that was made and not yet healed; *host* is empty if it is of every host."""

    fault: str
    host: str

    def __str__(self) -> str:
        return f"{self.fault} on {self.host or 'every host'}"


def faults_in_force() -> list[InForce]:
    """Return them in the order in which they were made; none if there is no lab."""
    try:
        text = _FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [InForce(**entry) for entry in json.loads(text)]


def note_faults(faults: Sequence[InForce]) -> None:
    """Replace what is written down in one move."""
    write_file(_FILE, File(json.dumps([asdict(fault) for fault in faults])))
