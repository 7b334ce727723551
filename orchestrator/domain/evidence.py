"""What a probe saw, and what it means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.domain.canonical import digest_of
from orchestrator.domain.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One look at the world.

    Attributes:
        verdict: Whether what was expected was seen. ``INCONCLUSIVE``: the look itself failed.
        summary: One line for a person: what was seen, and where.
        at: When the look began (aware UTC).
        kept: Values that the probe was told to keep for later. Data of the target: bound as
            parameters, never templated.
    """

    verdict: Verdict
    summary: str
    at: datetime
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Digest of everything above; a sign-off is bound to it."""
        return digest_of(self)


def combine(looks: Iterable[Evidence], *, now: datetime) -> Evidence:
    """Return one piece of evidence for *looks*: the worst verdict, all kept values.

    No looks at all are inconclusive. The summary tells first what stands in the way.
    """
    all_looks = tuple(looks)
    verdict = Verdict.worst_of(look.verdict for look in all_looks)
    telling = [look.summary for look in all_looks if look.verdict is verdict]
    kept = {name: value for look in all_looks for name, value in look.kept.items()}
    return Evidence(
        verdict=verdict,
        summary="; ".join(telling) or "nothing was looked at",
        at=min((look.at for look in all_looks), default=now),
        kept=kept,
    )
