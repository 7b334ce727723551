"""One examination of a primary: every look at once, in a time that nothing can lengthen."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillLooking
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.diagnosing.limits import WHOLE_LIMIT
from orchestrator.adapters.diagnosing.machines import look_at_machine
from orchestrator.adapters.diagnosing.sights import CONTROLLER, sight_from, sight_from_here
from orchestrator.adapters.diagnosing.testimonies import Witnesses
from orchestrator.adapters.diagnosing.writing import Writer
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.sql_statements import Login
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.targets import Member, member_of
from orchestrator.domain.diagnosis import (
    Ailment,
    Examination,
    Machine,
    Sight,
    Testimony,
    Witness,
)
from orchestrator.domain.environment import Environment, ServiceName

T = TypeVar("T")
LATE = f"no end within {WHOLE_LIMIT.total_seconds():.0f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who is examined, from where, and how the writes are made.

    Attributes:
        primary: As ``service/host``.
        places: Hosts that look beside the controller.
        standbys: Members that are asked.
        account: Of the service, and of its entry; it owns the table.
        table: Has the columns run (text) and seq (a number).
    """

    primary: str
    places: tuple[str, ...]
    standbys: tuple[str, ...]
    account: str
    table: str


@dataclass(frozen=True, slots=True)
class _Look(Generic[T]):
    """A look that is under way, and what it is worth if it does not end."""

    future: Future[T]
    fallback: T

    def outcome(self, deadline: Deadline) -> T:
        try:
            return self.future.result(deadline.left_s)
        except StillLooking:
            return self.fallback


class Examiner:
    """Examines primaries of PostgreSQL services."""

    def __init__(
        self, environment: Environment, sql_sessions: SqlSessions, ssh_sessions: SshSessions
    ) -> None:
        self._environment = environment
        self._sql = sql_sessions
        self._ssh = ssh_sessions

    def examine(self, request: Request) -> Examination:
        """Look from everywhere at once; it ends within `WHOLE_LIMIT`, whatever is broken.

        Raises:
            TargetUnavailable: If the environment has no such primary.
        """
        primary = member_of(self._environment, request.primary)
        entry = self._entry_of(primary)
        deadline = Deadline.after(WHOLE_LIMIT)
        pool = ThreadPoolExecutor(len(request.places) + len(request.standbys) + 3)
        try:
            sights = self._start_sights(pool, request, primary)
            users = self._start_users(pool, request, primary, entry) if entry else None
            witnesses = Witnesses(self._environment, self._sql, primary)
            heard = [
                _Look(pool.submit(witnesses.ask, standby), _unheard(standby))
                for standby in request.standbys
            ]
            machine = _Look(pool.submit(look_at_machine, primary.host, self._ssh), _UNREACHED)
            return Examination(
                primary=primary.name,
                sights=tuple(look.outcome(deadline) for look in sights),
                testimonies=tuple(look.outcome(deadline) for look in heard),
                machine=machine.outcome(deadline),
                entry=entry.name if entry else "",
                users=users.outcome(deadline) if users else None,
            )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _start_sights(
        self, pool: ThreadPoolExecutor, request: Request, primary: Member
    ) -> list[_Look[Sight]]:
        """Look at the primary itself from the controller and from every place."""
        writer = self._writer(request, primary, primary)
        look = partial(sight_from, member=primary, writer=writer, sessions=self._ssh)
        return [
            _Look(pool.submit(sight_from_here, writer), _unseen(CONTROLLER)),
            *(_Look(pool.submit(look, place), _unseen(place)) for place in request.places),
        ]

    def _start_users(
        self, pool: ThreadPoolExecutor, request: Request, primary: Member, entry: Member
    ) -> _Look[Sight]:
        """Write as users do: through the entry, from their side if that is one of the places."""
        writer = self._writer(request, primary, entry)
        place = self._environment.watch.host
        look: Callable[[], Sight] = partial(sight_from_here, writer)
        if place in request.places:
            look = partial(sight_from, place, entry, writer, self._ssh)
        return _Look(pool.submit(look), _unseen(place))

    def _writer(self, request: Request, primary: Member, at: Member) -> Writer:
        login = Login(member=at.name, account=request.account, database=primary.service.database)
        return Writer(self._sql, login, table=request.table)

    def _entry_of(self, primary: Member) -> Member | None:
        entry = self._environment.services.get(ServiceName(primary.service.entry))
        return member_of(self._environment, f"{entry.name}/{entry.members[0]}") if entry else None


_UNREACHED = Machine(is_reached=False, detail=LATE)


def _unseen(place: str) -> Sight:
    return Sight(place=place, ailment=Ailment.UNKNOWN, detail=f"did not look: {LATE}")


def _unheard(standby: str) -> Testimony:
    return Testimony(standby=standby, witness=Witness.UNHEARD, detail=LATE)
