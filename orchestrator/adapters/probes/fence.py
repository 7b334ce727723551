"""Probe ``fence``: is one of a member's fences closed, are all open, does any answer at all?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import with_config

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.fences.fencer import FenceState, Sight
from orchestrator.adapters.fences.members import MemberFences, in_words
from orchestrator.adapters.inputs import STRICT, parse
from orchestrator.adapters.probes.judgement import Judgement, look_once
from orchestrator.domain.environment import FenceLayer, FenceName
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Clock


@with_config(STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class FenceProbeInputs:
    """Whose fences, and what they must be.

    Attributes:
        on: A member, as ``service/host``.
        expect: ``closed`` passes if one is closed, ``open`` only if every one is open;
            ``answering`` if one tells its state, whichever that is.
        only: Layers of fences; all of them unless given. Where a layer has none, it is open.
    """

    on: str
    expect: Literal["closed", "open", "answering"]
    only: tuple[FenceLayer, ...] = ()


class FenceProber:
    """Looks at fences."""

    def __init__(self, fences: MemberFences, clock: Clock) -> None:
        self._fences = fences
        self._clock = clock

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Look at each once, until the answer is clear; one that is silent is no answer."""
        inputs = parse(FenceProbeInputs, probe.inputs)
        deadline = Deadline.after(within)
        return look_once(self._clock, lambda: self._look(inputs, deadline))

    def _look(self, inputs: FenceProbeInputs, deadline: Deadline) -> Judgement:
        sights = self._fences.look(inputs.on, inputs.only, deadline=deadline)
        if inputs.expect == "answering":
            return _judge_whether_any_answers(inputs.on, tuple(sights))
        return _judge(inputs, sights)


def _judge(inputs: FenceProbeInputs, sights: Iterator[tuple[FenceName, Sight]]) -> Judgement:
    """Judge as soon as one is closed: that settles it, whatever the others are."""
    wants_closed = inputs.expect == "closed"
    told, states = [], set()
    for name, sight in sights:
        words = in_words(inputs.on, name, sight)
        if sight.state is FenceState.CLOSED:
            verdict = Verdict.PASSED if wants_closed else Verdict.FAILED
            return Judgement(verdict=verdict, summary=words)
        told.append(words)
        states.add(sight.state)
    if FenceState.UNKNOWN in states:
        return Judgement(verdict=Verdict.INCONCLUSIVE, summary=_summary(inputs.on, told))
    verdict = Verdict.FAILED if wants_closed else Verdict.PASSED
    return Judgement(verdict=verdict, summary=_summary(inputs.on, told))


def _judge_whether_any_answers(
    member: str, sights: Sequence[tuple[FenceName, Sight]]
) -> Judgement:
    """Judge once all were heard out: whoever closes them later tries the silent ones last."""
    answers = any(sight.state is not FenceState.UNKNOWN for _, sight in sights)
    told = sorted(in_words(member, name, sight) for name, sight in sights)
    verdict = Verdict.PASSED if answers else Verdict.INCONCLUSIVE
    return Judgement(verdict=verdict, summary=_summary(member, told))


def _summary(member: str, told: Sequence[str]) -> str:
    return "; ".join(told) or f"{member} has no fence of that layer"
