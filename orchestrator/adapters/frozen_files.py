"""Files that the frozen playbooks of a plan name, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPlaybooks:
    """The folders of a plan's playbooks, as they were when it was made.

    Attributes:
        root: Holds a folder for each.
    """

    plan: Plan
    root: Path

    def find(self, file: str, *, of: str) -> Path:
        """Return *file* of the playbook to which *of* belongs, a step or a suite.

        Raises:
            TargetUnavailable: If there is none, or the name or a link leads out of the folder.
        """
        playbook = self.plan.as_seen_by(self.plan.child_of(of)).playbook
        return find_file(self.root / playbook, file)


def find_file(folder: Path, name: str) -> Path:
    """Return the file *name* below *folder*.

    Raises:
        TargetUnavailable: If there is none, or the name or a link leads out of the folder.
    """
    root = folder.resolve()
    file = (root / name).resolve()
    if not (file.is_relative_to(root) and file.is_file()):
        raise TargetUnavailable(f"there is no file {name!r} in the playbook's folder {folder}")
    return file
