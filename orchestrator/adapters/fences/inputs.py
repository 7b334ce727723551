"""What each kind of fence takes, as an environment writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import with_config

from orchestrator.adapters.inputs import STRICT
from orchestrator.domain.environment import Secret

SAID_BY_US = frozenset({"action", "password"})
"""Options that an environment does not write: what is to be done, and what nobody may see."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SshFenceInputs:
    """Commands on the member's own host, for a member whose host still obeys.

    Attributes:
        close: Ends whatever takes writes there, and keeps it from coming back by itself.
        is_closed: Exit code 0 if it is closed, 1 if it is open; any other tells nothing.
        open: Lets the service be started again.
    """

    close: tuple[str, ...]
    is_closed: tuple[str, ...]
    open: tuple[str, ...]


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFenceInputs:
    """A program with the standard interface of fence agents, run by the controller.

    Attributes:
        program: A name on the system's path, e.g. `fence_ipmilan`; or a file, a relative path
            being below the state directory.
        options: As the program's own manual tells, e.g. `ip`, `username`, `plug`.
        password: Given to the program on its standard input, and to nobody else.
    """

    program: str
    options: Mapping[str, str] = field(default_factory=dict)
    password: Secret | None = None

    def __post_init__(self) -> None:
        if written := SAID_BY_US & self.options.keys():
            raise ValueError(f"`{min(written)}` is no option to write here; see `password:`")


FENCE_INPUTS: Mapping[str, type] = {"ssh": SshFenceInputs, "agent": AgentFenceInputs}
