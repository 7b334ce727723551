"""Durations and sizes as people write them: a number never stands without its unit."""

from __future__ import annotations

import re
from datetime import timedelta

DURATION_PATTERN = (
    r"(?=\d)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?"
    r"(?:(\d{1,6}(?:\.\d{1,6})?)s)?(?:(\d{1,6})ms)?"
)
"""Largest unit first, each at most once; the look-ahead keeps the empty text out."""

SIZE_PATTERN = r"(\d{1,12}(?:\.\d{1,6})?)(B|kB|KiB|MB|MiB|GB|GiB|TB|TiB)"

_BYTES = {
    "B": 1,
    "kB": 10**3,
    "KiB": 2**10,
    "MB": 10**6,
    "MiB": 2**20,
    "GB": 10**9,
    "GiB": 2**30,
    "TB": 10**12,
    "TiB": 2**40,
}


def parse_duration(text: str) -> timedelta:
    """Return the duration that *text* names: ``200ms``, ``30s``, ``5m``, ``1h30m``, ``10d``.

    Raises:
        ValueError: If it is not written so; a bare number is not.
    """
    found = re.fullmatch(DURATION_PATTERN, text, re.ASCII)
    if not found:
        raise ValueError(f"{text!r} is not a duration such as 200ms, 30s, 5m, 1h30m or 10d")
    days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    return timedelta(
        days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds
    )


def parse_size(text: str) -> int:
    """Return the number of bytes that *text* names: ``512B``, ``16MiB``, ``1.5GB``.

    Raises:
        ValueError: If it is not written so; a bare number is not.
    """
    found = re.fullmatch(SIZE_PATTERN, text, re.ASCII)
    if not found:
        raise ValueError(f"{text!r} is not a size such as 512B, 64kB or 16MiB")
    return round(float(found[1]) * _BYTES[found[2]])
