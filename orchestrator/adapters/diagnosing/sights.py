"""Looks at a member from several places: from here, and from hosts through SSH."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.diagnosing.limits import ASIDE_LIMIT, CLIENT_LIMIT, PLACE_LIMIT
from orchestrator.adapters.diagnosing.writing import At, Writer
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.ssh_tunnel import socket_for
from orchestrator.adapters.targets import Member
from orchestrator.adapters.trouble import Trouble, Troubled, TroubleKind
from orchestrator.domain.diagnosis import Ailment, Sight
from orchestrator.domain.errors import TargetUnavailable

CONTROLLER = "controller"
ABOUT_THE_MEMBER = (TroubleKind.REFUSED, TroubleKind.UNREACHABLE)
"""What a place says of the member when it cannot connect; the rest is about the place."""


def sight_from_here(writer: Writer) -> Sight:
    """Look from the controller."""

    def straight(_: Deadline) -> AbstractContextManager[At]:
        return nullcontext()

    return writer.try_from(CONTROLLER, straight, Deadline.after(CLIENT_LIMIT))


def sight_from(place: str, member: Member, writer: Writer, sessions: SshSessions) -> Sight:
    """Look from the host *place*; one that does not answer over SSH has not looked."""
    deadline = Deadline.after(CLIENT_LIMIT)
    try:
        _require(place, sessions, Deadline.after(PLACE_LIMIT))
    except TargetUnavailable as error:
        return Sight(place=place, ailment=Ailment.UNKNOWN, detail=str(error))

    def through(until: Deadline) -> AbstractContextManager[At]:
        return _tunnel(place, member, sessions, until)

    return writer.try_from(place, through, deadline)


@contextmanager
def _tunnel(place: str, member: Member, sessions: SshSessions, deadline: Deadline) -> Iterator[At]:
    address = member.host.address
    with ExitStack() as stack:
        try:
            channel = stack.enter_context(
                sessions.channel_to(place, address, member.port, deadline=deadline)
            )
        except Troubled as error:
            raise Troubled(_weigh(place, error.trouble, sessions)) from error
        yield stack.enter_context(socket_for(channel))


def _weigh(place: str, trouble: Trouble, sessions: SshSessions) -> Trouble:
    """Return what a tunnel that did not open says of the member.

    Raises:
        TargetUnavailable: If it says nothing: the place itself is silent, or would not try.
    """
    if trouble.kind in ABOUT_THE_MEMBER:
        return trouble
    if trouble.kind is not TroubleKind.HUNG:
        raise TargetUnavailable(f"did not look: {trouble.detail}")
    _require(place, sessions, Deadline.after(ASIDE_LIMIT))
    detail = f"nobody answered the connect within {CLIENT_LIMIT.total_seconds():.0f} s"
    return Trouble(kind=TroubleKind.UNREACHABLE, detail=detail)


def _require(place: str, sessions: SshSessions, deadline: Deadline) -> None:
    """Raise unless *place* itself is there to look."""
    answer = sessions.run(place, ["true"], deadline=deadline)
    if isinstance(answer, Trouble):
        raise TargetUnavailable(f"did not look: {answer.detail}")
