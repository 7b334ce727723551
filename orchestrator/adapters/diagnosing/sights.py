"""Looks at a member from several places: from here, and from hosts through SSH."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.diagnosing.limits import CLIENT_LIMIT, PLACE_LIMIT
from orchestrator.adapters.diagnosing.writing import At, Writer
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.ssh_tunnel import socket_for
from orchestrator.adapters.targets import Member
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.diagnosis import Ailment, Sight

CONTROLLER = "controller"


def sight_from_here(writer: Writer) -> Sight:
    """Look from the controller."""

    def straight(_: Deadline) -> AbstractContextManager[At]:
        return nullcontext()

    return writer.try_from(CONTROLLER, straight, Deadline.after(CLIENT_LIMIT))


def sight_from(place: str, member: Member, writer: Writer, sessions: SshSessions) -> Sight:
    """Look from the host *place*; one that does not answer over SSH has not looked."""
    deadline = Deadline.after(CLIENT_LIMIT)
    # Soon enough for the member to have time to answer.
    answer = sessions.run(place, ["true"], deadline=Deadline.after(PLACE_LIMIT))
    if isinstance(answer, Trouble):
        return Sight(place=place, ailment=Ailment.UNKNOWN, detail=f"did not look: {answer.detail}")

    def through(until: Deadline) -> AbstractContextManager[At]:
        return _tunnel(place, member, sessions, until)

    return writer.try_from(place, through, deadline)


@contextmanager
def _tunnel(place: str, member: Member, sessions: SshSessions, deadline: Deadline) -> Iterator[At]:
    with (
        sessions.channel_to(place, member.host.address, member.port, deadline=deadline) as channel,
        socket_for(channel) as at,
    ):
        yield at
