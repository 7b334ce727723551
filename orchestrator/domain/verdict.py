"""The four answers every probe, gate, step and verification gives."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What we know after looking, ordered here from best to worst.

    ``DEGRADED`` holds with a reservation that the report names. ``INCONCLUSIVE`` means that we
    could not look or cannot tell; it may never be read as a pass.
    """

    PASSED = "passed"
    DEGRADED = "degraded"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"

    @classmethod
    def worst_of(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """Return the worst verdict; no verdicts at all is ``INCONCLUSIVE``, not a pass."""
        severity = list(cls)
        return max(verdicts, key=severity.index, default=cls.INCONCLUSIVE)
