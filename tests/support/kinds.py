"""Inputs of a few kinds of actions and probes, in the manner of the real ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from orchestrator.domain.environment import HostName
from orchestrator.domain.expectation import Expectation


class Method(StrEnum):
    """How to ask."""

    GET = "GET"
    HEAD = "HEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsibleInputs:
    """A play.

    Attributes:
        play: File below the playbook's folder.
        on: Hosts it is limited to.
    """

    play: str
    on: str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SshInputs:
    """A command.

    Attributes:
        on: A host or member.
        run: The program and its arguments.
        exit_code: Must be this; `null` where it says nothing.
        settle: Waited before.
    """

    on: str
    run: tuple[str, ...]
    exit_code: int | None = 0
    matches: str | None = None
    settle: timedelta = timedelta(0)
    keep: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlInputs:
    """A query.

    Attributes:
        on: A member or several.
        query: What is asked.
    """

    on: str | tuple[str, ...]
    query: str
    values: Mapping[str, object] = field(default_factory=dict)
    row: Mapping[str, Expectation] = field(default_factory=dict)
    rows: Expectation = None

    def __post_init__(self) -> None:
        if not self.query.strip():
            raise ValueError("asks nothing: give a query")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlWriteInputs:
    """A write that is taken back."""

    on: str
    expect: Literal["refused", "accepted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpInputs:
    """A request."""

    url: str
    method: Method = Method.GET
    host: HostName | None = None
    json: Mapping[str, Expectation] = field(default_factory=dict)


ACTION_INPUTS: Mapping[str, type] = {"ansible": AnsibleInputs, "ssh": SshInputs, "sql": SqlInputs}
PROBE_INPUTS: Mapping[str, type] = {
    "http": HttpInputs,
    "ssh": SshInputs,
    "sql": SqlInputs,
    "sql_write": SqlWriteInputs,
}
