"""What a probe concludes from one look."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Evidence without its time."""

    verdict: Verdict
    summary: str
    kept: Mapping[str, str] = field(default_factory=dict)


def inconclusive(trouble: Trouble | TargetUnavailable) -> Judgement:
    """Return the judgement of a look that could not be taken."""
    return Judgement(verdict=Verdict.INCONCLUSIVE, summary=str(trouble))


def judge_reasons(
    reasons: Sequence[str], *, seen: str, kept: Mapping[str, str] | None = None
) -> Judgement:
    """Return a pass that tells what was *seen*, or a failure with every one of *reasons*."""
    if reasons:
        return Judgement(verdict=Verdict.FAILED, summary="; ".join(reasons))
    return Judgement(verdict=Verdict.PASSED, summary=seen, kept=kept or {})


def look_once(clock: Clock, look: Callable[[], Judgement]) -> Evidence:
    """Return the evidence of *look*, dated from its beginning."""
    at = clock.now()
    try:
        judgement = look()
    except TargetUnavailable as error:
        judgement = inconclusive(error)
    return Evidence(
        verdict=judgement.verdict, summary=judgement.summary, at=at, kept=judgement.kept
    )
