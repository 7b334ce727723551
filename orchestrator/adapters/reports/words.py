"""Numbers, times and hostile texts in the words of a report."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

NOT_KNOWN = "not known"

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_HARMLESS = {"\n", "\t"}
_NOT_PLAIN = re.compile(r"[^ -~]")


def visible(text: str) -> str:
    """Return *text* with everything that is invisible or steers a display shown as a sign.

    An escape becomes ``[U+001B]``, a right-to-left override ``[U+202E]``: no text of a target
    can colour, reorder or hide anything then.
    """
    return _NOT_PLAIN.sub(lambda match: _sign(match[0]), text)


def is_steering(character: str) -> bool:
    """Return whether *character* shows nothing by itself, but may change how others show."""
    return unicodedata.category(character) in _INVISIBLE


def _sign(character: str) -> str:
    if character in _HARMLESS or not is_steering(character):
        return character
    return f"[U+{ord(character):04X}]"


def duration(seconds: float | None) -> str:
    """Return a duration for people: milliseconds below a second, else tenths of one."""
    if seconds is None:
        return NOT_KNOWN
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(round(seconds, 1), 60)
    if not minutes:
        return f"{rest:.1f} s"
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:04.1f} s"


def milliseconds(value: float | None) -> str:
    """Return a number of milliseconds as a duration."""
    return NOT_KNOWN if value is None else duration(value / 1000)


def bounds(at_least: float | None, at_most: float | None) -> str:
    """Return what lies between two numbers of seconds, as one phrase."""
    if at_least is None or at_most is None:
        return NOT_KNOWN
    if at_most == 0:
        return "0 s"
    low, high = duration(at_least), duration(at_most)
    if low == high:
        return low
    low_number, _, low_unit = low.partition(" ")
    _, _, high_unit = high.partition(" ")
    if at_least == 0:
        return f"0 – {high}"
    return f"{low_number if low_unit == high_unit else low} – {high}"


def count(value: int | None) -> str:
    """Return a number with its thousands apart."""
    return NOT_KNOWN if value is None else f"{value:,}".replace(",", "\u202f")


def clock(at: datetime | None) -> str:
    """Return the time of day to the millisecond; the page says that it is UTC."""
    if at is None:
        return "—"
    return f"{at.astimezone(UTC):%H:%M:%S.%f}"[:-3]


def day(at: datetime | None) -> str:
    """Return the date and time to the second, with its zone."""
    return "—" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
