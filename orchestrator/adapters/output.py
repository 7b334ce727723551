"""Output of a program, of which the head and the tail are kept, whatever it prints."""

from __future__ import annotations

HEAD_BYTES = 4 * 1024 * 1024
TAIL_BYTES = 64 * 1024


class BoundedOutput:
    """Collects bytes in bounded memory."""

    def __init__(self, *, head_bytes: int = HEAD_BYTES, tail_bytes: int = TAIL_BYTES) -> None:
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        room = self._head_bytes - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        surplus = max(0, len(self._tail) - self._tail_bytes)
        del self._tail[:surplus]
        self._left_out += surplus

    @property
    def text(self) -> str:
        """What was kept, with a line that says how much was not."""
        head = self._head.decode(errors="replace")
        tail = self._tail.decode(errors="replace")
        gap = f"\n[{self._left_out} bytes left out]\n" if self._left_out else ""
        return f"{head}{gap}{tail}"
