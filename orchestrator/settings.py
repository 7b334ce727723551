"""Where content and state are: options before the environment, the environment before defaults."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line was told about places.

    Attributes:
        content: Folder with ``playbooks/``, ``checklists/`` and ``environments/``.
        state: Folder of the journal, the runs, the lab's keys.
    """

    content: Path
    state: Path

    @classmethod
    def find(cls, content: str | None, state: str | None) -> Settings:
        """Take the options, else ``RECOVER_CONTENT`` and ``RECOVER_STATE``, else defaults.

        Content defaults to the current directory, state to the XDG state directory.
        """
        default_state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        return cls(
            content=Path(content or os.environ.get("RECOVER_CONTENT") or ".").absolute(),
            state=Path(
                state or os.environ.get("RECOVER_STATE") or default_state / "recover"
            ).absolute(),
        )

    @property
    def journal(self) -> Path:
        """The file of the journal."""
        return self.state / "journal.sqlite3"

    @property
    def lab(self) -> Path:
        """The lab's keys and passwords."""
        return self.state / "lab"

    @property
    def chosen_environment(self) -> Path:
        """Holds the name of the environment that commands use when none is given."""
        return self.state / "environment"
