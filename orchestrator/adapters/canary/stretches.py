"""What a canary wrote down, read by position and by time, in one file or in two.

Positions count every byte that was ever written, whichever file it is in by now. The first line
of a file that continues another one says at which position it begins; that line does not count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

MOST_TRIES = 3
"""Files that do not join by then never will: the older one is of another time."""
LONGEST_LINE = 1 << 16
_HEAD = b'{"t":"from"'


def head_line(position: int, **also: object) -> bytes:
    """Return the line that says that what follows begins at *position*."""
    told = {"t": "from", "position": position, **also}
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def position_in(line: bytes) -> int | None:
    """Return the position that *line* tells; nothing if it is any other line."""
    return int(json.loads(line)["position"]) if line.startswith(_HEAD) else None


@dataclass(frozen=True, slots=True)
class Stretch:
    """One file of samples, opened.

    Attributes:
        fd: Reads it, even when it is turned over meanwhile.
        begins: Position of its first byte behind the head.
        head: Length of its head, which does not count.
    """

    fd: int
    begins: int
    head: int

    @property
    def ends(self) -> int:
        """Position behind its last byte by now."""
        return self.begins + os.fstat(self.fd).st_size - self.head

    def read(self, position: int, limit: int) -> bytes:
        """Return at most *limit* bytes from *position* on, which must lie in it."""
        return os.pread(self.fd, limit, self.head + position - self.begins)


def open_stretch(path: Path) -> Stretch:
    """Open *path* for reading.

    Raises:
        FileNotFoundError: If there is none.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    line, newline, _ = os.pread(fd, LONGEST_LINE, 0).partition(b"\n")
    position = position_in(line) if newline else None
    if position is None:
        return Stretch(fd, 0, 0)
    return Stretch(fd, position, len(line) + 1)


def older_of(path: Path) -> Path:
    """Return where *path* goes when it is turned over."""
    return path.with_suffix(f".older{path.suffix}")


@contextmanager
def open_stretches(path: Path) -> Iterator[tuple[Stretch, ...]]:
    """Open what there is, the older one first, so that none is missed that is turned meanwhile.

    Raises:
        FileNotFoundError: If there is none.
    """
    with ExitStack() as stack:
        stretches = _open_both(path, stack)
        for _ in range(MOST_TRIES):
            if _do_join(stretches):
                break
            stretches = _open_both(path, stack)
        yield stretches if _do_join(stretches) else stretches[-1:]


def _do_join(stretches: Sequence[Stretch]) -> bool:
    return all(one.ends == next_.begins for one, next_ in pairwise(stretches))


def _open_both(path: Path, stack: ExitStack) -> tuple[Stretch, ...]:
    try:
        older = [open_stretch(older_of(path))]
    except FileNotFoundError:
        older = []
    stretches = (*older, open_stretch(path))
    for stretch in stretches:
        stack.callback(os.close, stretch.fd)
    return stretches


def whole_lines(stretches: Sequence[Stretch], position: int, limit: int) -> bytes:
    """Return lines from *position* on, none in part, at most *limit* bytes of them."""
    text = b"".join(
        part.read(max(position, part.begins), limit) for part in stretches if position <= part.ends
    )
    return text[: text.rfind(b"\n", 0, limit) + 1]


def position_at(stretches: Sequence[Stretch], since: float) -> int:
    """Return the position of the first line that is no older than *since*, by halving."""
    low, high = stretches[0].begins, stretches[-1].ends
    while low < high:
        middle = (low + high) // 2
        position, at = _line_behind(stretches, middle)
        if at is None or at >= since:
            high = middle
        else:
            low = position + 1
    return _line_behind(stretches, low)[0]


def time_of(line: bytes) -> float | None:
    """Return when *line* was written, by the canary's clock; nothing if it does not say."""
    try:
        told = json.loads(line)
        return float(told["done"] if "done" in told else told["at"])
    except (ValueError, KeyError, TypeError):
        return None


def _line_behind(stretches: Sequence[Stretch], position: int) -> tuple[int, float | None]:
    """Return where the first line begins at *position* or behind it, and when it was written."""
    if position > stretches[0].begins:
        before = whole_lines(stretches, position - 1, LONGEST_LINE)
        if not before:
            return stretches[-1].ends, None
        position += before.index(b"\n")
    line = whole_lines(stretches, position, LONGEST_LINE).partition(b"\n")[0]
    return position, time_of(line)
