"""The lab's own directory on this machine, and its record of what is up and for whom."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.lab.errors import LabBusy
from orchestrator.lab.files import File, write_file

# Durable on purpose: a tmpfs would make every fsync of the databases free.
ROOT = Path("/var/tmp/recover-lab")  # noqa: S108 - ownership is checked before use
# Programs in the directory that each host has there: switch it on, run something inside it.
BOOT, INSIDE = "boot", "inside"
_RECORD = ROOT / "lab.json"
_LOCK = "\0recover-lab"
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What `up` says of itself.

    Attributes:
        home: Where the controller's keys and passwords for it are.
        code: Where the code that the hosts run was loaded from.
        identity: Different for each lab that was ever brought up.
        complete: False from the first change to the machine until everything answers.
    """

    kind: str
    home: str
    code: str
    identity: str
    complete: bool


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the machine's only lab against whoever else would change it.

    The lock is a name in the kernel that goes with its holder, so a killed one holds nothing.

    Raises:
        LabBusy: If another holds it for a minute.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lock:
        deadline = time.monotonic() + _PATIENCE_S
        while not _bound(lock):
            if time.monotonic() > deadline:
                raise LabBusy("another `recover lab` command is changing it; try again later")
            time.sleep(0.1)
        yield


def _bound(lock: socket.socket) -> bool:
    try:
        lock.bind(_LOCK)
    except OSError:
        return False
    return True


def claim_root() -> None:
    """Make the lab's directory, or check that it is ours alone.

    Raises:
        LabBusy: If it belongs to somebody else, or others may write in it.
    """
    ROOT.mkdir(mode=0o755, exist_ok=True)
    _require_ours()


def _require_ours() -> None:
    seen = ROOT.lstat()
    others_write = bool(seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid() or others_write:
        raise LabBusy(
            f"{ROOT} is not a directory of uid {os.geteuid()} alone (owner uid {seen.st_uid},"
            f" mode {stat.filemode(seen.st_mode)}): take that user's lab down or remove it"
        )


def remove_root() -> None:
    """Remove the lab's directory with all that is in it.

    Raises:
        LabBusy: If it is somebody else's.
    """
    if os.path.lexists(ROOT):
        _require_ours()
        shutil.rmtree(ROOT)


def read_record() -> Record | None:
    """Return what is up or was left half-way; nothing if the machine has no lab.

    Raises:
        LabBusy: If the lab is somebody else's.
    """
    if not os.path.lexists(ROOT):
        return None
    _require_ours()
    try:
        text = _RECORD.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return Record(**json.loads(text))
    except (TypeError, ValueError):
        # Written by another version of this code: known to be there, and nothing more.
        return Record(kind="full", home="", code="", identity="", complete=False)


def write_record(record: Record) -> None:
    """Replace the record in one move."""
    write_file(_RECORD, File(json.dumps(asdict(record), indent=2)))
