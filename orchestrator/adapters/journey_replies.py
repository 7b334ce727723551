"""What came back from one action of a journey: how it is looked at, and what may be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from orchestrator.domain.expectation import Condition, Expectation, shortfalls
from orchestrator.domain.journey import JourneyAction, fill

Reply = Mapping[str, object]
Scalar = str | int | float | bool


class ActionFailed(Exception):
    """A user would not have got what they came for."""


class DeadlinePassed(ActionFailed):
    """The walk has taken so long that no user would still wait."""


def check_reply(action: JourneyAction, reply: Reply, values: Mapping[str, object]) -> None:
    """Compare *reply* with what *action* expects.

    Raises:
        ActionFailed: With every expectation that is not met.
        KeyError: If an expectation refers to a value that is not there.
    """
    reasons = [
        f"{path} {reason}"
        for path, wanted in action.expect.items()
        for reason in shortfalls(value_at(reply, path), _filled(wanted, values))
    ]
    if reasons:
        raise ActionFailed("; ".join(reasons))


def kept_from(action: JourneyAction, reply: Reply) -> dict[str, Scalar]:
    """Return what *action* keeps of *reply*.

    Raises:
        ActionFailed: If it is not there, or is not a single value.
    """
    return {f"kept.{name}": _scalar_at(reply, path) for name, path in action.keep.items()}


def value_at(reply: object, path: str) -> object:
    """Follow a dotted *path* through mappings and lists; nothing where it leads nowhere."""
    for key in path.split("."):
        match reply:
            case {**members} if key in members:
                reply = members[key]
            case list() if key.isdecimal() and int(key) < len(reply):
                reply = reply[int(key)]
            case _:
                return None
    return reply


def _scalar_at(reply: Reply, path: str) -> Scalar:
    found = value_at(reply, path)
    if not isinstance(found, str | int | float | bool):
        raise ActionFailed(f"{path} is not there to be kept")
    return found


def _filled(wanted: Expectation, values: Mapping[str, object]) -> Expectation:
    return wanted if isinstance(wanted, Condition) else cast(Expectation, fill(wanted, values))
