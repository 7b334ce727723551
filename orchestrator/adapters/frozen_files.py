"""Files that a frozen playbook names, and no others."""

from __future__ import annotations

from pathlib import Path

from orchestrator.domain.errors import TargetUnavailable


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
