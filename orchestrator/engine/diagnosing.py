"""From what places, standbys and machine show to one ailment and one decision. Pure.

Only silence from all who looked, which no standby contradicts, lets a primary be given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from orchestrator.domain.diagnosis import (
    ANSWERING,
    GONE,
    Ailment,
    Decision,
    Diagnosis,
    Examination,
    Sight,
    Testimony,
    Witness,
)

FEWEST_PLACES = 2
"""One place that hears nothing may be cut off itself."""
REPLAYED_BYTES_PER_S = 30 * 1024**2
"""How fast a restart replays, cautiously. Source: measured, PostgreSQL 15 replays updates at
160 MiB/s when all is in memory; a disk that must be read takes several times as long."""
START_UP = timedelta(seconds=1)

_ADVICE = {
    Ailment.HEALTHY: "use database-switchover if the role is to move",
    Ailment.SLOW: "find what it waits for (locks, disk, load); a failover would not heal that",
    Ailment.UNREPLICATED: "heal the replication network, or the standbys",
    Ailment.READ_ONLY: "set that back",
    Ailment.REJECTED: "wait if it starts up, else do away with what its words name",
}


class _View(NamedTuple):
    """An examination, sorted."""

    seen: Examination
    silent_for: timedelta
    answered: tuple[Sight, ...]
    deaf: tuple[Sight, ...]
    hearing: tuple[Testimony, ...]
    silent: tuple[Testimony, ...]


def diagnose(seen: Examination, *, silent_for: timedelta, objective: timedelta) -> Diagnosis:
    """Return what is wrong and what to do about it.

    Args:
        seen: Everything that was looked at.
        silent_for: A standby that heard the primary within that time contradicts its death.
        objective: Time within which users are to be served again; zero if nobody said.
    """
    view = _sort(seen, silent_for)
    return (
        _of_full_disk(seen)
        or _of_answers(view)
        or _of_few_places(view)
        or _of_contradictions(view)
        or _of_silence(view, objective)
    )


def _sort(seen: Examination, silent_for: timedelta) -> _View:
    witnesses = [t for t in seen.testimonies if t.witness is Witness.STANDBY]
    return _View(
        seen=seen,
        silent_for=silent_for,
        answered=tuple(sight for sight in seen.sights if sight.is_answered),
        deaf=tuple(sight for sight in seen.sights if sight.ailment in GONE),
        hearing=tuple(t for t in witnesses if t.has_heard_within(silent_for)),
        silent=tuple(t for t in witnesses if not t.has_heard_within(silent_for)),
    )


def _of_full_disk(seen: Examination) -> Diagnosis | None:
    path = seen.machine.full_disk
    told = [seen.machine.detail] * bool(path)
    told += [sight.detail for sight in seen.sights if sight.ailment is Ailment.DISK_FULL]
    if not told:
        return None
    where = f"at {path} on {seen.host}" if path else f"on {seen.host}"
    return Diagnosis(
        ailment=Ailment.DISK_FULL,
        decision=Decision.REFUSE,
        reason=told[0],
        advice=f"make room {where}, and start it if it is down; a standby's disk may be as full",
    )


def _of_answers(view: _View) -> Diagnosis | None:
    """Judge a primary that at least one place hears."""
    if not view.answered:
        return None
    if view.deaf:
        return _partly_heard(view)
    worst = max(view.answered, key=lambda sight: ANSWERING.index(sight.ailment))
    if worst.ailment is not Ailment.HEALTHY:
        return _ill(worst)
    if view.silent and not view.hearing:
        return _unheard_of(view)
    return _of_users(view.seen) or _healthy(view)


def _partly_heard(view: _View) -> Diagnosis:
    return Diagnosis(
        ailment=Ailment.PARTLY_HEARD,
        decision=Decision.REFUSE,
        reason=f"{_told(view.answered)}, but {_told(view.deaf)}",
        advice=f"heal the network from {_places(view.deaf)} to {view.seen.host}",
    )


def _ill(sight: Sight) -> Diagnosis:
    return Diagnosis(
        ailment=sight.ailment,
        decision=Decision.REFUSE,
        reason=f"seen from {sight.place}: {sight.detail}",
        advice=_ADVICE[sight.ailment],
    )


def _unheard_of(view: _View) -> Diagnosis:
    return Diagnosis(
        ailment=Ailment.UNREPLICATED,
        decision=Decision.REFUSE,
        reason=f"it takes writes, and {_no_standby(view)}",
        advice=_ADVICE[Ailment.UNREPLICATED],
    )


def _of_users(seen: Examination) -> Diagnosis | None:
    """Judge a healthy primary that users do not reach."""
    users = seen.users
    if users is None or users.ailment in {Ailment.HEALTHY, Ailment.SLOW, Ailment.UNKNOWN}:
        return None
    return Diagnosis(
        ailment=Ailment.ENTRY_DEAD,
        decision=Decision.REFUSE,
        reason=f"it takes writes, and users do not come through {seen.entry}: {users.detail}",
        advice=f"restart {seen.entry}, or see where it leads",
    )


def _healthy(view: _View) -> Diagnosis:
    deaf = _names(t.standby for t in view.silent)
    return Diagnosis(
        ailment=Ailment.HEALTHY,
        decision=Decision.REFUSE,
        reason=f"it takes writes, seen from {_places(view.answered)}"
        + (f", though {deaf} hears nothing" if deaf else ""),
        advice=_ADVICE[Ailment.HEALTHY],
    )


def _of_few_places(view: _View) -> Diagnosis | None:
    if len(view.deaf) >= FEWEST_PLACES:
        return None
    blind = [sight for sight in view.seen.sights if not sight.has_looked]
    lookers = _told(view.deaf) if view.deaf else "none"
    others = "; ".join(f"{sight.place}: {sight.detail}" for sight in blind)
    return Diagnosis(
        ailment=Ailment.UNKNOWN,
        decision=Decision.HOLD,
        reason=f"of {FEWEST_PLACES} places that must have looked only {lookers} did ({others})",
        advice="make another place look, or go to the machine",
    )


def _of_contradictions(view: _View) -> Diagnosis | None:
    """Judge a primary that no place hears, and of which somebody else says that it lives."""
    ailment = _silence(view)
    writable = [t for t in view.seen.testimonies if t.witness is Witness.WRITABLE]
    if writable:
        name = _names(t.standby for t in writable)
        reason = f"{name} takes writes itself"
        return _hold(ailment, reason, "find out who was promoted, and by whom")
    if view.hearing:
        return _still_heard(view, ailment)
    if not view.silent:
        unheard = "; ".join(f"{t.standby}: {t.detail}" for t in view.seen.testimonies)
        reason = f"no standby could be asked ({unheard or 'there is none'})"
        return _hold(ailment, reason, "reach a standby: without one there is nobody to promote")
    users = view.seen.users
    if users is not None and users.ailment in {Ailment.HEALTHY, Ailment.SLOW}:
        return _served_elsewhere(view.seen.entry)
    return None


def _hold(ailment: Ailment, reason: str, advice: str) -> Diagnosis:
    return Diagnosis(ailment=ailment, decision=Decision.HOLD, reason=reason, advice=advice)


def _still_heard(view: _View, ailment: Ailment) -> Diagnosis:
    ages = [(_names([t.standby]), t.heard_ago) for t in view.hearing if t.heard_ago is not None]
    heard = ", ".join(f"{name} heard it {age.total_seconds():.1f} s ago" for name, age in ages)
    left_s = (view.silent_for - min(age for _, age in ages)).total_seconds()
    way = f"from {_places(view.deaf)} to {view.seen.host}"
    return Diagnosis(
        ailment=ailment,
        decision=Decision.REFUSE,
        reason=f"{_told(view.deaf)}, but {heard}",
        advice=f"look again in {left_s:.0f} s; still heard then, heal the network {way}",
    )


def _served_elsewhere(entry: str) -> Diagnosis:
    return Diagnosis(
        ailment=Ailment.PARTLY_HEARD,
        decision=Decision.REFUSE,
        reason=f"no place reaches it, but users write through {entry}",
        advice=f"find out where {entry} leads",
    )


def _of_silence(view: _View, objective: timedelta) -> Diagnosis:
    ailment = _silence(view)
    restart = _restart(view, objective) if ailment is Ailment.REFUSED else ""
    return Diagnosis(
        ailment=ailment,
        decision=Decision.FAIL_OVER,
        reason=f"{_told(view.deaf)}; {_no_standby(view)}",
        advice=f"fence it first{restart}",
    )


def _silence(view: _View) -> Ailment:
    """Return what the silence is: a machine that hangs or refuses anywhere is there."""
    return min((sight.ailment for sight in view.deaf), key=GONE.index)


def _restart(view: _View, objective: timedelta) -> str:
    """Say what a restart in place would cost, where the machine lets itself be asked."""
    machine = view.seen.machine
    received = max((t.received_bytes or 0 for t in view.silent), default=0)
    if not machine.is_reached:
        return ""
    if machine.redo_bytes is None:
        return "; its machine answers: a restart in place may be quicker"
    replayed = max(0, received - machine.redo_bytes)
    needed = START_UP + timedelta(seconds=replayed / REPLAYED_BYTES_PER_S)
    told = (
        f"; or restart it in place: {replayed / 1024**2:.0f} MiB to replay, "
        f"some {needed.total_seconds():.0f} s"
    )
    if not objective:
        return told
    word = "within" if needed <= objective else "over"
    return f"{told}, {word} the objective of {objective.total_seconds():.0f} s"


def _no_standby(view: _View) -> str:
    unheard = [t.standby for t in view.seen.testimonies if t.witness is Witness.UNHEARD]
    asked = f"not heard by {_names(t.standby for t in view.silent)}"
    return asked + (f" ({_names(unheard)} could not be asked)" if unheard else "")


def _told(sights: Sequence[Sight]) -> str:
    """Say who saw what, those together who saw the same."""
    kinds = dict.fromkeys(sight.ailment for sight in sights)
    groups = ([s for s in sights if s.ailment is kind] for kind in kinds)
    return ", ".join(f"{group[0].ailment} from {_places(group)}" for group in groups)


def _places(sights: Iterable[Sight]) -> str:
    return _names(sight.place for sight in sights)


def _names(names: Iterable[str]) -> str:
    plain = [name.rpartition("/")[2] for name in names]
    return " and ".join(filter(None, (", ".join(plain[:-1]), *plain[-1:])))
