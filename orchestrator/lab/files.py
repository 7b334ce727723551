"""Files of a host as values, written in one go as a tree below some root."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class File:
    """A regular file, owned by the user who writes it unless *owner* names another."""

    text: str
    mode: int = 0o644
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    to: str


Tree = Mapping[str, File | Link]


def write_tree(root: Path, tree: Tree) -> None:
    """Write every entry of *tree* at its path below *root*, over what is there."""
    for path, entry in tree.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        match entry:
            case File():
                write_file(place, entry)
            case Link(to=to):
                place.unlink(missing_ok=True)
                place.symlink_to(to)


def write_file(place: Path, file: File) -> None:
    """Write *file* so that nobody sees it with a wider mode or half its text."""
    draft = place.with_name(f".{place.name}.draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(file.text)
        os.fchmod(stream.fileno(), file.mode)
    if file.owner:
        give(draft, file.owner)
    draft.replace(place)


def give(path: Path, user: str) -> None:
    """Make *user* and the user's own group the owner of *path*."""
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
