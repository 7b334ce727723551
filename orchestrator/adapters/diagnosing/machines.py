"""The machine of a PostgreSQL primary over SSH: is its disk full, where would replay begin?"""

from __future__ import annotations

import re

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.diagnosing.limits import CLIENT_LIMIT
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.diagnosis import Machine
from orchestrator.domain.environment import Host

DATA, PROGRAMS = "postgresql_data", "postgresql_bin"
"""Inventory variables: the data directory, and the folder that has ``pg_controldata``."""
FOLDERS = ("", "base/", "pg_wal/")
"""Below the data directory, each of which may lie on a disk of its own."""
NEEDED_KIB = 16 * 1024
"""With less room no further segment of the WAL can be made.
Source: PostgreSQL's default wal_segment_size."""
_DISK = re.compile(r"^ *(\d+) +(\d+%) +(/.*)$", re.MULTILINE)
_REDO = re.compile(r"^Latest checkpoint's REDO location: +([0-9A-F]+)/([0-9A-F]+)$", re.MULTILINE)


def look_at_machine(host: Host, sessions: SshSessions) -> Machine:
    """Log in and look around; what the inventory does not name is left out."""
    deadline = Deadline.after(CLIENT_LIMIT)
    data, programs = host.variables.get(DATA), host.variables.get(PROGRAMS)
    folders = [f"{data}/{folder}" for folder in FOLDERS]
    command = ["df", "--output=avail,pcent,target", *folders]
    answer = sessions.run(host.name, command if data else ["true"], deadline=deadline)
    if isinstance(answer, Trouble):
        return Machine(is_reached=False, detail=f"does not answer over SSH: {answer.detail}")
    disk, used = _fullest(answer.stdout)
    return Machine(
        is_reached=True,
        detail=f"{disk} is full ({used} used)" if disk else "answers over SSH",
        full_disk=disk,
        redo_bytes=_redo_bytes(host, f"{programs}/pg_controldata", f"{data}", sessions, deadline),
    )


def _fullest(listed: str) -> tuple[str, str]:
    """Return the first file system without room, and how much of it is used."""
    full = (m for m in _DISK.finditer(listed) if int(m[1]) < NEEDED_KIB)
    return next(((m[3], m[2]) for m in full), ("", ""))


def _redo_bytes(
    host: Host, program: str, data: str, sessions: SshSessions, deadline: Deadline
) -> int | None:
    command = ["env", "LC_ALL=C", program, data]
    answer = sessions.run(host.name, command, deadline=deadline)
    found = None if isinstance(answer, Trouble) else _REDO.search(answer.stdout)
    return (int(found[1], 16) << 32) + int(found[2], 16) if found else None
