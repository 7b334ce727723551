"""What is wrong with a primary: looks from several places, testimonies, and the conclusion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Ailment(StrEnum):
    """How a primary is, seen from one place or as a whole.

    ``SLOW``: it answers, late or without a commit. ``UNREPLICATED``: it takes writes that no
    standby confirms or hears of. ``REJECTED``: it answers, and turns us away. ``HUNG``: it takes
    the connection and then says nothing. ``BLACK_HOLED``: nobody answers the connect.
    ``REFUSED``: its machine says that nothing listens. ``UNKNOWN``: we could not look.

    Of the whole only: ``PARTLY_HEARD``: some hear it and some do not. ``ENTRY_DEAD``: it is well,
    and users do not come through to it.
    """

    HEALTHY = "healthy"
    SLOW = "slow"
    UNREPLICATED = "unreplicated"
    READ_ONLY = "read-only"
    REJECTED = "rejected"
    DISK_FULL = "disk-full"
    HUNG = "hung"
    BLACK_HOLED = "black-holed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    PARTLY_HEARD = "partly-heard"
    ENTRY_DEAD = "entry-dead"


ANSWERING = (
    Ailment.HEALTHY,
    Ailment.SLOW,
    Ailment.UNREPLICATED,
    Ailment.READ_ONLY,
    Ailment.REJECTED,
    Ailment.DISK_FULL,
)
"""Sights of a primary that is there, from the best to the worst."""
GONE = (Ailment.HUNG, Ailment.REFUSED, Ailment.BLACK_HOLED)
"""Sights of a primary that says nothing, the one that tells most about it first."""


class Decision(StrEnum):
    """What to do about a primary."""

    FAIL_OVER = "fail over"
    REFUSE = "do not fail over"
    HOLD = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one place saw when it tried to write.

    Attributes:
        ailment: ``UNKNOWN`` if the place itself could not look: never evidence of silence.
        detail: One line for a person.
        took: From the connect to the answer, or to giving up.
    """

    place: str
    ailment: Ailment
    detail: str
    took: timedelta | None = None

    @property
    def has_looked(self) -> bool:
        """False if the place says nothing about the primary."""
        return self.ailment is not Ailment.UNKNOWN

    @property
    def is_answered(self) -> bool:
        """True if the primary is there, however ill."""
        return self.ailment in ANSWERING


class Witness(StrEnum):
    """As what a member testifies. ``UNHEARD``: it could not be asked, so it says nothing."""

    STANDBY = "standby"
    WRITABLE = "writable"
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What one standby says of the primary.

    Attributes:
        heard_ago: Age of the last message; ``None`` if it receives nothing from the primary.
        received_bytes: Position in the WAL up to which it has received, in bytes.
        detail: One line for a person.
    """

    standby: str
    witness: Witness
    detail: str
    heard_ago: timedelta | None = None
    received_bytes: int | None = None

    def has_heard_within(self, limit: timedelta) -> bool:
        """Tell whether the primary spoke to it lately."""
        return self.heard_ago is not None and self.heard_ago <= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the primary's machine shows over SSH, whatever the database does.

    Attributes:
        is_reached: False if SSH does not answer.
        detail: One line for a person.
        full_disk: Path of the primary's file system that is full; empty if none is.
        redo_bytes: Position in the WAL from which a restart would replay, in bytes.
    """

    is_reached: bool
    detail: str
    full_disk: str = ""
    redo_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Everything that was seen of a primary, side by side.

    Attributes:
        primary: As ``service/host``.
        entry: The member through which users come; empty if they come directly.
        sights: Of each place that looks at the primary itself.
        users: A write through the entry, as users do it; ``None`` without an entry.
    """

    primary: str
    sights: tuple[Sight, ...]
    testimonies: tuple[Testimony, ...]
    machine: Machine
    entry: str = ""
    users: Sight | None = None

    @property
    def host(self) -> str:
        """The primary's host."""
        return self.primary.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What it comes to.

    Attributes:
        reason: Who saw what, in one line.
        advice: What to do, in one line.
    """

    ailment: Ailment
    decision: Decision
    reason: str
    advice: str

    @property
    def summary(self) -> str:
        """Everything in two sentences, for somebody who is tired."""
        return f"{self.ailment}: {self.reason}. {self.decision.capitalize()}: {self.advice}"
