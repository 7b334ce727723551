"""The interpreter and the code that this runs on, for hosts that run them too."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import orchestrator


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Where a host finds Python and this package.

    Attributes:
        code: The directory that holds the package.
        directories: Every directory that must be visible for both to work.
    """

    interpreter: str
    code: str
    directories: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """Return what makes the interpreter find the package, and write nothing beside it."""
        return {"PYTHONPATH": self.code, "PYTHONDONTWRITEBYTECODE": "1"}

    def command(self) -> str:
        """Return a script that is the command `recover`, for whoever has no such on PATH."""
        variables = " ".join(f"{name}={value}" for name, value in self.environment().items())
        return f"""\
#!/bin/sh
export {variables}
exec {self.interpreter} -P -m orchestrator "$@"
"""

    def user(self, preferred: str, *, parents_open: bool) -> str:
        """Return *preferred* if any user may read the code and the interpreter, else root.

        *parents_open* says that whoever may read a directory can also get to it.
        """
        places = [Path(place) for place in self.directories]
        passed = [] if parents_open else [above for place in places for above in place.parents]
        is_open = all(p.stat().st_mode & 0o005 == 0o005 for p in places)
        is_reached = all(p.stat().st_mode & 0o001 for p in passed)
        return preferred if is_open and is_reached else "root"


def current_runtime() -> Runtime:
    """Describe the interpreter that runs this and the package it was loaded from."""
    code = Path(orchestrator.__file__).resolve().parent.parent
    places = {code, *map(Path, (sys.prefix, sys.base_prefix, sys.base_exec_prefix))}
    return Runtime(
        interpreter=sys.executable,
        code=str(code),
        directories=tuple(str(p) for p in sorted(places) if not _is_covered(p, places)),
    )


def _is_covered(path: Path, places: set[Path]) -> bool:
    """Tell whether *path* shows anyway: with the system or inside another of *places*."""
    return path.is_relative_to("/usr") or not places.isdisjoint(path.parents)
