"""Looking at the world with values that earlier looks kept, and at the invariants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.domain.evidence import Evidence
from orchestrator.domain.plan import BoundInvariant
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.binding import bind_kept
from orchestrator.engine.concluding import judge_invariant
from orchestrator.engine.ports import World

Kept = Mapping[str, str]


def look(
    world: World,
    probes: Sequence[Probe],
    kept: Kept,
    *,
    within: timedelta,
    patiently: bool = False,
) -> Sequence[Evidence]:
    """Look with each probe, once or until it passes; answers stand in the order of the questions.

    A probe that needs a value nobody kept is inconclusive.
    """
    now = world.clock.now()
    bound = [_bind_probe(probe, kept, now) for probe in probes]
    ready = [probe for probe in bound if isinstance(probe, Probe)]
    if not ready:
        return [answer for answer in bound if isinstance(answer, Evidence)]
    ask = world.looker.look_until if patiently else world.looker.look
    answers = iter(ask(ready, within=within))
    return [next(answers) if isinstance(probe, Probe) else probe for probe in bound]


def look_at_invariants(
    world: World, invariants: Sequence[BoundInvariant], kept: Kept, *, within: timedelta
) -> Mapping[str, Evidence]:
    """Look at every member of every invariant at once, and judge each invariant."""
    probes = [probe for invariant in invariants for probe in invariant.probes.values()]
    looks = iter(look(world, probes, kept, within=within))
    now = world.clock.now()
    return {
        invariant.invariant: judge_invariant(
            invariant, {member: next(looks) for member in invariant.probes}, now=now
        )
        for invariant in invariants
    }


def _bind_probe(probe: Probe, kept: Kept, now: datetime) -> Probe | Evidence:
    try:
        return replace(probe, inputs=bind_inputs(probe.inputs, kept))
    except KeyError as missing:
        summary = f"no earlier probe kept {missing}"
        return Evidence(verdict=Verdict.INCONCLUSIVE, summary=summary, at=now)


def bind_inputs(inputs: Mapping[str, object], kept: Kept) -> Mapping[str, object]:
    """Return *inputs* with each ``${kept.NAME}`` replaced.

    Raises:
        KeyError: If nothing of that name was kept.
    """
    return {name: bind_kept(value, kept) for name, value in inputs.items()}
