"""Files beneath the content root: no links, nothing outside, nothing huge."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

LARGEST_FILE = 2**20
MOST_FILES = 10_000
LEFT_ALONE = frozenset({"__pycache__"})
"""What the interpreter leaves beside suites; never copied, so that a copy runs from its source."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK opening a named pipe would wait for its other end.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileRefused(Exception):
    """The file is not read; says what is the matter, why that counts, and what to do."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        self.what = what
        self.why = why
        self.remedy = remedy
        super().__init__(f"{what}, {why}, {remedy}")


class FileMissing(FileRefused):
    """There is no such file or folder."""


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of a path that an author wrote, relative to a folder.

    Raises:
        FileRefused: If it is absolute, climbs, or is no path that everybody reads alike.
    """
    parts = tuple(name.split("/"))
    if "\0" in name or "\\" in name or any(part in {"", ".", ".."} for part in parts):
        raise FileRefused(
            f"`{name[:64]}` leaves its folder or is no plain path",
            "content refers only to files below its own folder",
            "write it relative, as `tests/test_roles.py`",
        )
    return parts


class ContentFolder:
    """Reads below one folder; the folder itself may be reached through a link, nothing in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, name: str) -> bytes:
        """Return the content of the file *name* below the root.

        Raises:
            FileRefused: If it is missing, a link, no ordinary file, or too large.
        """
        *folders, last = parts_of(name)
        with self._opened(folders, name) as folder:
            file = _open(name, last, _FILE, folder)
        try:
            _require_ordinary(name, os.fstat(file))
            with os.fdopen(file, "rb", closefd=False) as stream:
                return stream.read(LARGEST_FILE)
        finally:
            os.close(file)

    def names(self, folder: str = "") -> tuple[str, ...]:
        """Return the names in *folder*, sorted; none if there is no such folder.

        Raises:
            FileRefused: If the way there is a link.
        """
        try:
            parts = parts_of(folder) if folder else ()
            with self._opened(parts, folder) as opened, os.scandir(opened) as entries:
                return tuple(sorted({entry.name for entry in entries} - LEFT_ALONE))
        except FileMissing:
            return ()

    def folders(self, folder: str) -> tuple[str, ...]:
        """Return the names of the folders in *folder*, sorted; hidden ones are left alone."""
        names = (name for name in self.names(folder) if not name.startswith("."))
        return tuple(name for name in names if self._is_folder(f"{folder}/{name}"))

    def files(self, folder: str) -> Iterator[str]:
        """Yield every file below *folder*, in any order; links are among them, to be refused.

        Raises:
            FileRefused: If there are too many.
        """
        found = 0
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            for name in self.names(here):
                path = f"{here}/{name}"
                if self._is_folder(path):
                    waiting.append(path)
                    continue
                found += 1
                if found > MOST_FILES:
                    raise FileRefused(
                        f"`{folder}` holds more than {MOST_FILES} files",
                        "they would all be copied for each run",
                        "move out what no step needs",
                    )
                yield path

    def _is_folder(self, name: str) -> bool:
        *folders, last = parts_of(name)
        with self._opened(folders, name) as folder:
            return stat.S_ISDIR(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode)

    @contextmanager
    def _opened(self, folders: Sequence[str], wanted: str) -> Iterator[int]:
        """Open one folder after the other, so that no link is followed on the way to *wanted*."""
        opened = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in folders:
                inner = _open(wanted, name, _FOLDER, opened)
                os.close(opened)
                opened = inner
            yield opened
        finally:
            os.close(opened)


def _open(path: str, name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        raise FileMissing(f"`{path}` is not there", "it is needed here", "add it") from None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise FileRefused(
                f"`{path}` is a link, or leads through one or through a file",
                "a link can lead out of the content",
                "put the file itself there",
            ) from error
        raise FileRefused(f"`{path}` cannot be opened", str(error.strerror), "mend it") from error


def _require_ordinary(name: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise FileRefused(f"`{name}` is no ordinary file", "only those are content", "remove it")
    if found.st_size > LARGEST_FILE:
        raise FileRefused(
            f"`{name}` has {found.st_size} bytes",
            f"content files have at most {LARGEST_FILE}",
            "split it, or keep it elsewhere",
        )
