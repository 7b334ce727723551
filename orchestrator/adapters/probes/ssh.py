"""Probe ``ssh``: a command that changes nothing, and what it must say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import with_config

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.probes.judgement import (
    Judgement,
    inconclusive,
    judge_reasons,
    look_once,
)
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.expectation import Condition, shortfalls
from orchestrator.domain.playbook import Probe
from orchestrator.engine.ports import Clock

if TYPE_CHECKING:
    from orchestrator.adapters.ssh_commands import Finished
    from orchestrator.adapters.ssh_sessions import SshSessions


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedNumber:
    """A number in the output, and its bounds.

    Attributes:
        pattern: A regular expression with one group around the number.
        at_least: Smallest accepted number.
        at_most: Largest accepted number.
    """

    pattern: str
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        _check_pattern(self.pattern)


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SshProbeInputs:
    """A command, and what is expected of its end and its standard output.

    Attributes:
        on: A host, or a member as ``service/host``.
        run: The program and its arguments; must change nothing.
        stdin: Given to the program on its standard input.
        exit_code: Must be this; ``null`` where it says nothing.
        matches: A regular expression that must be found; ``^`` and ``$`` stand for lines.
        number: A number that must be found, within bounds.
        keep: Names for parts of the output, to be used later: name to a regular expression with
            one group.
    """

    on: str
    run: tuple[str, ...]
    stdin: str = ""
    exit_code: int | None = 0
    matches: str | None = None
    number: PrintedNumber | None = None
    keep: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.matches is not None:
            _check_pattern(self.matches, groups=None)
        for pattern in self.keep.values():
            _check_pattern(pattern)


class SshProber:
    """Looks with commands."""

    def __init__(self, sessions: SshSessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Run the command once."""
        inputs = parse(SshProbeInputs, probe.inputs)
        deadline = Deadline.after(within)
        return look_once(self._clock, lambda: self._look(inputs, deadline))

    def _look(self, inputs: SshProbeInputs, deadline: Deadline) -> Judgement:
        answer = self._sessions.run(inputs.on, inputs.run, stdin=inputs.stdin, deadline=deadline)
        return inconclusive(answer) if isinstance(answer, Trouble) else judge(inputs, answer)


def judge(inputs: SshProbeInputs, finished: Finished) -> Judgement:
    """Compare how a command ended with what was expected of it. Pure."""
    reasons = [f"{inputs.on}: {reason}" for reason in _reasons(inputs, finished)]
    kept = {name: _found(pattern, finished) or "" for name, pattern in inputs.keep.items()}
    return judge_reasons(reasons, seen=f"{inputs.on}: {_telling(inputs, finished)}", kept=kept)


def _reasons(inputs: SshProbeInputs, finished: Finished) -> Iterator[str]:
    if inputs.exit_code is not None and finished.exit_code != inputs.exit_code:
        yield f"{finished.summary}, not {inputs.exit_code}"
        return
    if inputs.matches and not re.search(inputs.matches, finished.stdout, re.MULTILINE):
        yield f"{inputs.matches!r} is not in {_excerpt(finished.stdout)}"
    if inputs.number:
        bounds = Condition(at_least=inputs.number.at_least, at_most=inputs.number.at_most)
        if (number := _found(inputs.number.pattern, finished)) is None:
            yield f"{inputs.number.pattern!r} is not in {_excerpt(finished.stdout)}"
        else:
            yield from (f"the number {reason}" for reason in shortfalls(number, bounds))
    for name, pattern in inputs.keep.items():
        if _found(pattern, finished) is None:
            yield f"{name}: {pattern!r} is not in {_excerpt(finished.stdout)}"


def _found(pattern: str, finished: Finished) -> str | None:
    found = re.search(pattern, finished.stdout, re.MULTILINE)
    return found[1] if found else None


def _telling(inputs: SshProbeInputs, finished: Finished) -> str:
    """Return the part of the output that was asked for."""
    pattern = inputs.number.pattern if inputs.number else inputs.matches
    found = re.search(pattern, finished.stdout, re.MULTILINE) if pattern else None
    return _excerpt(found[0]) if found else finished.summary


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 200 else f"{flat[:200]}…")


def _check_pattern(pattern: str, *, groups: int | None = 1) -> None:
    try:
        has_groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    if groups is not None and has_groups != groups:
        raise ValueError(f"{pattern!r} must have one group (in round brackets)")
