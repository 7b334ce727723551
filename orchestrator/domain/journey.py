"""What a real user does, end to end."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.playbook import JourneyName


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """Placeholder until the canary branch lands."""

    journey: JourneyName
