"""Which server of the lab has which role at the moment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event

import psycopg

from orchestrator.lab.topology import Role
from tests.support.lab import Lab

CALM_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05
PATIENT = ("db-b1",)
"""Stays a standby in every trial, so that all switchovers go over the same wires."""

Session = psycopg.Connection[tuple[object, ...]]


class LabUnfit(Exception):
    """The lab is in no state to be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Who is what.

    Attributes:
        bystanders: The standbys that remain standbys.
    """

    primary: str
    target: str
    bystanders: tuple[str, ...]


def operator_session(lab: Lab, host: str) -> Session:
    """Connect to the server on *host* as whoever operates it."""
    return lab.connect(host, user="recover", database="postgres")


def console(lab: Lab) -> Session:
    """Connect to the pooler's console."""
    pooler = lab.blueprint.having(Role.POOLER)[0].name
    return lab.connect(pooler, user="recover", database="pgbouncer", pooled=True)


def await_calm(lab: Lab) -> Roles:
    """Return the roles once every standby streams from the primary.

    Raises:
        LabUnfit: If that does not come.
    """
    until = time.monotonic() + CALM_WITHIN_S
    while time.monotonic() < until:
        roles = _find_roles(lab)
        if roles and streams(lab, roles.primary) >= {roles.target, *roles.bystanders}:
            return roles
        Event().wait(LOOK_EVERY_S)
    raise LabUnfit(f"no primary with every standby streaming within {CALM_WITHIN_S:g} s")


def streams(lab: Lab, host: str) -> set[str]:
    """Return the standbys that stream from the server on *host*."""
    with operator_session(lab, host) as session:
        rows = session.execute(
            "select application_name from pg_stat_replication where state = 'streaming'"
        ).fetchall()
    return {str(name) for (name,) in rows}


def _find_roles(lab: Lab) -> Roles | None:
    names = [host.name for host in lab.blueprint.having(Role.DATABASE)]
    primaries = [name for name in names if _is_primary(lab, name)]
    if len(primaries) != 1:
        return None
    (primary,) = primaries
    standbys = [name for name in names if name != primary]
    target = next(name for name in standbys if name not in PATIENT)
    return Roles(
        primary=primary,
        target=target,
        bystanders=tuple(name for name in standbys if name != target),
    )


def _is_primary(lab: Lab, name: str) -> bool:
    try:
        with operator_session(lab, name) as session:
            return session.execute("select not pg_is_in_recovery()").fetchone() == (True,)
    except psycopg.OperationalError:
        return False
