"""A copy of our own content, spoiled in one way each: what careless and hostile authors write."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.command_line import ROOT

PLAYBOOK = "playbooks/database-switchover/playbook.yaml"
PREFLIGHT = "checklists/database-switchover-preflight.yaml"
ENVIRONMENT = "environments/lab/environment.yaml"
INVENTORY = "environments/lab/inventory.yaml"
LOOPBACK = "environments/lab-loopback/environment.yaml"
JOURNEY = "environments/lab/journeys/place-an-order.yaml"
PEOPLE = "environments/lab/people.yaml"
SUITE = "playbooks/database-switchover/tests/test_database.py"

Spoil = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Bad:
    """One way to be bad, and the complaint that must come.

    Attributes:
        complaint: A part of it.
        at: File and text whose first character must be its place.
    """

    spoil: Spoil
    complaint: str
    at: tuple[str, str] | None = None

    def told_of(self, root: Path) -> str:
        """Return what must be said of *root*, which was spoiled."""
        if self.at is None:
            return self.complaint
        file, wanted = self.at
        before = (root / file).read_text().partition(wanted)[0]
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        return f"{file}:{line}:{column}: {self.complaint}"


def our_content(folder: Path) -> Path:
    """Return a copy of the content of this repository."""
    root = folder / "content"
    for part in ("playbooks", "checklists", "environments"):
        shutil.copytree(ROOT / part, root / part)
    return root


def swap(file: str, old: str, new: str) -> Spoil:
    """Replace the first *old* in *file*."""

    def spoil(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text, f"{old!r} is not in {file}"
        (root / file).write_text(text.replace(old, new, 1))

    return spoil


def write(file: str, data: bytes) -> Spoil:
    """Put *data* into *file*."""

    def spoil(root: Path) -> None:
        (root / file).write_bytes(data)

    return spoil


def append(file: str, text: str) -> Spoil:
    """Put *text* behind *file*."""

    def spoil(root: Path) -> None:
        with (root / file).open("a") as content:
            content.write(text)

    return spoil


def remove(file: str) -> Spoil:
    """Remove *file*."""
    return lambda root: (root / file).unlink()


def link(file: str, target: str) -> Spoil:
    """Put a symbolic link in the place of *file*."""

    def spoil(root: Path) -> None:
        (root / file).unlink()
        (root / file).symlink_to(target)

    return spoil


def fifo(file: str) -> Spoil:
    """Put a pipe that nobody writes to in the place of *file*."""

    def spoil(root: Path) -> None:
        (root / file).unlink()
        os.mkfifo(root / file)

    return spoil


BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (i, i, b", ".join([b"*%c" % (i - 1)] * 9)) for i in range(98, 107)
)


def fence(text: str) -> Spoil:
    """Give the pooler a fence, written as *text*."""
    fences = f"port: pgbouncer_port\n    fences: [{text}]"
    return swap(ENVIRONMENT, "port: pgbouncer_port", fences)


BAD: Mapping[str, Bad] = {
    "an unknown key": Bad(
        swap(PLAYBOOK, "title:", "titel:"), "`titel` is not known", (PLAYBOOK, "titel:")
    ),
    "an unknown key of a step": Bad(
        swap(PLAYBOOK, "    why:", "    whi:"), "`whi` is not known", (PLAYBOOK, "whi:")
    ),
    "an unknown key of an action": Bad(
        swap(PLAYBOOK, "query:", "qurey:"), "`qurey` is not known", (PLAYBOOK, "qurey:")
    ),
    "a key twice": Bad(
        append(PLAYBOOK, "title: Again\n"),
        "`title` stands here a second time, it stands already in line 3",
    ),
    "a wrong type": Bad(
        swap(PLAYBOOK, "title: ", "title: [1, 2] # "),
        "`title` is a list, text is wanted",
        (PLAYBOOK, "[1, 2]"),
    ),
    "a number where a duration is wanted": Bad(
        swap(PLAYBOOK, "time_limit: 10s", "time_limit: 10"), "a duration with its unit is wanted"
    ),
    "a person without a role": Bad(
        swap(PEOPLE, "roles:", "rolls:"), "`rolls` is not known", (PEOPLE, "rolls:")
    ),
    "a host that there is not": Bad(
        swap(ENVIRONMENT, "members: [db-a1", "members: [db-z9"),
        "there is no host `db-z9`",
        (ENVIRONMENT, "db-z9"),
    ),
    "a missing inventory": Bad(
        remove(INVENTORY),
        "environments/lab/inventory.yaml:1:1: `environments/lab/inventory.yaml` is not there",
    ),
    "a fence of no kind": Bad(
        fence("{fence: power, within: 5s}"), "there is no fence", (ENVIRONMENT, "{fence: power")
    ),
    "a fence of two kinds": Bad(
        fence(
            "{fence: power, within: 5s, agent: {program: fence_x}, "
            "ssh: {close: [a], is_closed: [b], open: [c]}}"
        ),
        "there is more than one fence",
    ),
    "an agent that is told what to do": Bad(
        fence("{fence: power, within: 5s, agent: {program: fence_x, options: {action: on}}}"),
        "`action` is no option to write here",
    ),
    "an agent's password in the open": Bad(
        fence("{fence: power, within: 5s, agent: {program: fence_x, password: hunter2}}"),
        "`password` is the text `hunter2`, a mapping is wanted",
        (ENVIRONMENT, "hunter2"),
    ),
    "an acceptance of what is no fence": Bad(
        swap(PLAYBOOK, "repeatable: true", "if_unproven: database-writes-confirmed"),
        "step `prepare-slots-on-target` fences nobody",
        (PLAYBOOK, "database-writes-confirmed"),
    ),
    "a waiver by more people than there are": Bad(
        swap(PREFLIGHT, "level: soft", "waive: {role: on-call, people: 9}"),
        "people with the role `on-call`",
    ),
    "a missing checklist": Bad(remove(PREFLIGHT), "`database-switchover-preflight`"),
    "a missing suite": Bad(remove(SUITE), "tests/test_database.py` is not there"),
    "a reference to nothing": Bad(
        swap(PLAYBOOK, "${target}", "${tarket}"), "`${tarket}` names nothing"
    ),
    "a cycle of environments": Bad(
        swap(LOOPBACK, "extends: lab", "extends: lab-loopback"),
        "`lab-loopback` extends this one in turn",
        (LOOPBACK, "lab-loopback\ntitle"),
    ),
    "an alias": Bad(
        append(PEOPLE, "more: &a {x: 1}\nagain: *a\n"), "`*a` is an alias", (PEOPLE, "*a")
    ),
    "a bomb of aliases": Bad(write(PREFLIGHT, BOMB), "database-switchover-preflight.yaml:1:"),
    "a tag": Bad(
        append(PEOPLE, "more: !!python/object/apply:os.system [id]\n"),
        "`tag:yaml.org,2002:python/object/apply:os.system` is a tag",
        (PEOPLE, "!!python"),
    ),
    "a path that climbs": Bad(
        swap(PLAYBOOK, "tests/test_database.py", "../../../etc/passwd"),
        "`../../../etc/passwd` leaves its folder",
    ),
    "an absolute path": Bad(
        swap(PLAYBOOK, "tests/test_database.py", "/etc/passwd"), "`/etc/passwd` leaves its folder"
    ),
    "a link out of the content": Bad(
        link(PREFLIGHT, "/etc/passwd"), "is a link, or leads through one"
    ),
    "a link to itself": Bad(
        link(PREFLIGHT, "database-switchover-preflight.yaml"), "is a link, or leads through one"
    ),
    "a suite that is a link": Bad(link(SUITE, "/etc/passwd"), "is a link, or leads through one"),
    "a pipe": Bad(fifo(PREFLIGHT), "is no ordinary file"),
    "not utf-8": Bad(
        write(PREFLIGHT, b"checklist: caf\xe9\n"), "preflight.yaml:1:15: byte 0xe9 is not UTF-8"
    ),
    "a NUL": Bad(
        write(PREFLIGHT, b"checklist: a\x00b\n"),
        "preflight.yaml:1:13: there is a hidden character U+0000",
    ),
    "an empty file": Bad(write(PREFLIGHT, b""), "preflight.yaml:1:1: the file is empty"),
    "no yaml": Bad(
        write(PREFLIGHT, b"checklist: [a, b\n"), "preflight.yaml:1:12: the list is not closed"
    ),
    "a tab": Bad(
        write(PREFLIGHT, b"checklist:\n\tname: a\n"), "preflight.yaml:2:1: there is a tab"
    ),
    "more than a file may hold": Bad(
        write(PREFLIGHT, b"# " + b"x" * 2**21), "content files have at most 1048576"
    ),
    "200,000 brackets": Bad(
        write(PREFLIGHT, b"items: " + b"[" * 200_000),
        "preflight.yaml:1:40: values are nested more than 32 deep",
    ),
    "a million characters of one word": Bad(
        write(PREFLIGHT, b"checklist: " + b"x" * 10**6), "preflight.yaml:1:1: `items` is missing"
    ),
    "100,000 keys": Bad(
        write(PREFLIGHT, b"".join(b"k%d: 1\n" % i for i in range(80_000))),
        "there are more than 50000 values",
    ),
}
