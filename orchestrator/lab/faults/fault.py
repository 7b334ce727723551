"""A fault of the lab: what happens, where, how it is seen and how it is healed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.lab.errors import FaultNotSeen
from orchestrator.lab.faults.ground import Ground

_LIMIT_S = 20.0
_PAUSE_S = 0.05


class Where(StrEnum):
    """The host that a fault is for if nobody says another."""

    PRIMARY = "primary"
    STANDBY = "standby"
    POOLER = "pooler"
    EVERYWHERE = "every host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that breaks, by name.

    Attributes:
        what: What happens, in a few words.
        strike: Breaks it on a host; it may be broken already.
        is_there: Looks, past what it broke, whether it is broken.
        heal: Restores what it took, also where it took nothing; starts no server that has a
            reason to stay down.
        silences: Leaves a server alive that nobody hears: healing it gives it its voice back.
        full_only: What the loopback lab lacks for it, or nothing.
    """

    name: str
    what: str
    where: Where
    strike: Callable[[Ground, str], None]
    is_there: Callable[[Ground, str], bool]
    heal: Callable[[Ground, str], None]
    silences: bool = False
    full_only: str = ""


def await_sight(look: Callable[[], bool], what: str) -> None:
    """Wait until *look* says yes.

    Raises:
        FaultNotSeen: After 20 s.
    """
    deadline = time.monotonic() + _LIMIT_S
    while not look():
        if time.monotonic() > deadline:
            raise FaultNotSeen(f"never seen within {_LIMIT_S:.0f} s: {what}")
        time.sleep(_PAUSE_S)
