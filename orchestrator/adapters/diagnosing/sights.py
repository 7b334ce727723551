"""Looks at a member from several places: from here, and from hosts through SSH."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.diagnosing.limits import CLIENT_LIMIT, PLACE_LIMIT
from orchestrator.adapters.diagnosing.writing import At, Writer
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.ssh_tunnel import socket_for
from orchestrator.adapters.targets import Member
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.diagnosis import Ailment, Sight
from orchestrator.domain.errors import TargetUnavailable

CONTROLLER = "controller"


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
            tunnel = sessions.channel_to(place, address, member.port, deadline=deadline)
            channel = stack.enter_context(tunnel)
        except TargetUnavailable as error:
            raise TargetUnavailable(f"did not look: {error}") from error
        yield stack.enter_context(socket_for(channel))


def _require(place: str, sessions: SshSessions, deadline: Deadline) -> None:
    """Raise unless *place* itself is there to look."""
    answer = sessions.run(place, ["true"], deadline=deadline)
    if isinstance(answer, Trouble):
        raise TargetUnavailable(f"did not look: {answer.detail}")
