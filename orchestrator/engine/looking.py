"""Looking at the world with values that earlier looks kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.binding import bind_kept
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
