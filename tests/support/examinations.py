"""Short ways to say what was seen of a primary; the boring case is a primary that is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrator.domain.diagnosis import (
    Ailment,
    Examination,
    Machine,
    Sight,
    Testimony,
    Witness,
)

WELL = Machine(is_reached=True, detail="answers over SSH")
MIB = 1024**2


def a_sight(place: str, ailment: Ailment = Ailment.HEALTHY, detail: str = "") -> Sight:
    return Sight(
        place=place,
        ailment=ailment,
        detail=detail or f"it is {ailment}",
        took=timedelta(milliseconds=20),
    )


def sights(*ailments: Ailment) -> tuple[Sight, ...]:
    """The controller's sight, then those of the places."""
    places = ("controller", "pool-a1", "client-1")
    return tuple(map(a_sight, places, ailments))


def hears(standby: str, seconds_ago: float = 0.4) -> Testimony:
    return replace(deaf(standby), heard_ago=timedelta(seconds=seconds_ago))


def deaf(standby: str, *, received_bytes: int | None = None) -> Testimony:
    return Testimony(
        standby=f"orders-db/{standby}",
        witness=Witness.STANDBY,
        detail="receives nothing",
        received_bytes=received_bytes,
    )


def unheard(standby: str) -> Testimony:
    return replace(deaf(standby), witness=Witness.UNHEARD, detail="does not answer")


def writable(standby: str) -> Testimony:
    return replace(deaf(standby), witness=Witness.WRITABLE, detail="takes writes")


def an_examination(
    *seen: Ailment,
    testimonies: tuple[Testimony, ...] = (hears("db-a2"), hears("db-b1")),
    machine: Machine = WELL,
    users: Ailment | None = None,
) -> Examination:
    """Return what was seen from three places, unless fewer ailments are given."""
    return Examination(
        primary="orders-db/db-a1",
        sights=sights(*(seen or (Ailment.HEALTHY,) * 3)),
        testimonies=testimonies,
        machine=machine,
        entry="orders-pool/pool-a1" if users else "",
        users=a_sight("client-1", users) if users else None,
    )
