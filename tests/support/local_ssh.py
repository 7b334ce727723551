"""This machine in the place of a host: what would be run over SSH is run here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.ssh_commands import Finished
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.trouble import Trouble, TroubleKind
from orchestrator.domain.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
RECOVER = (sys.executable, "-m", "orchestrator")
"""How ``recover`` is called here."""


class LocalSsh(SshSessions):
    """Runs commands here, with a home for the canary in *home*; can be cut off."""

    def __init__(self, environment: Environment, home: Path) -> None:
        super().__init__(environment, SecretStore(home))
        self._surroundings = {**os.environ, "XDG_STATE_HOME": str(home)}
        self.is_cut_off = False

    def run(
        self, target: str, argv: Sequence[str], *, deadline: Deadline, stdin: str = ""
    ) -> Finished | Trouble:
        if self.is_cut_off:
            return Trouble(kind=TroubleKind.UNREACHABLE, detail=f"{target}: cut off")
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=self._surroundings,
            timeout=deadline.left_s,
        )
        return Finished(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)
