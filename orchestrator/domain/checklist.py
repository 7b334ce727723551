"""What must be true before a run may go on, and what we know about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from orchestrator.domain.canonical import digest_of
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import ChecklistName, Probe
from orchestrator.domain.verdict import Verdict

ItemName = NewType("ItemName", str)
PersonName = NewType("PersonName", str)


class Level(StrEnum):
    """Whether a named person may waive the item, with a reason."""

    HARD = "hard"
    SOFT = "soft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waive:
    """Who may accept that a probe's answer is no.

    Attributes:
        role: Whose people.
        people: How many distinct persons must, each with a reason.
    """

    role: str
    people: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One question with a shelf life, answered by a probe or by people.

    Attributes:
        item: Unique within its checklist.
        ask: The question, such that "yes" lets the run go on.
        why: What goes wrong when it is not so.
        fresh_for: How long an answer stays valid. An older one counts as no answer.
        level: ``hard`` stops the run; ``soft`` degrades its verdict.
        probe: Answers it by looking; exactly one of ``probe`` and ``role`` is given.
        role: Whose people may sign it.
        people: How many distinct persons must sign.
        patience: How long the probe may look again until it passes; nothing: it looks once.
        remedy: What to do when the answer is no.
        waive: For an item that a probe answers: by whom it can be waived, hard or soft. A soft
            one without it can be waived by anybody who may start runs.
    """

    item: ItemName
    ask: str
    why: str
    fresh_for: timedelta
    level: Level = Level.HARD
    probe: Probe | None = None
    role: str = ""
    people: int = 1
    patience: timedelta = timedelta(0)
    remedy: str = ""
    waive: Waive | None = None

    @property
    def is_waivable(self) -> bool:
        """True if people can accept that the answer is no."""
        return self.waive is not None or self.level is Level.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """The questions of one gate."""

    checklist: ChecklistName
    title: str
    items: tuple[ChecklistItem, ...]

    def find(self, name: str) -> ChecklistItem | None:
        """Return the item of that name."""
        return next((item for item in self.items if item.item == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """A person's answer to one item, bound to what was shown.

    Attributes:
        shown: Digest of run, mode, item, plan and the evidence at hand (`digest_shown`). A
            sign-off counts only while that digest is still the current one.
        verdict: ``PASSED`` for yes, ``FAILED`` for no.
        at: When it was given (aware UTC).
        comment: In their words; for a waiver the reason, which goes into the report.
        is_waiver: Not an answer, but a soft item's absence accepted.
    """

    by: PersonName
    shown: str
    verdict: Verdict
    at: datetime
    comment: str = ""
    is_waiver: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a person has before their eyes when they sign. Any change voids the sign-off."""

    run: str
    mode: str
    plan_digest: str
    gate: ChecklistName
    item: ChecklistItem
    evidence: Mapping[ItemName, Verdict]

    @property
    def digest(self) -> str:
        """Digest that the sign-off carries."""
        return digest_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStanding:
    """Where one item stands now.

    Attributes:
        verdict: ``INCONCLUSIVE`` while there is no valid answer.
        reason: Why, in one line.
        waits_for: Roles whose people can still answer or waive; empty when nobody can.
    """

    item: ChecklistItem
    verdict: Verdict
    reason: str
    waits_for: tuple[str, ...] = ()

    @property
    def is_blocking(self) -> bool:
        """True if the gate stays shut because of this item; a waived one is degraded."""
        return self.verdict not in {Verdict.PASSED, Verdict.DEGRADED}


@dataclass(frozen=True, slots=True)
class GateDecision:
    """Whether the run may go on, with every item's standing."""

    verdict: Verdict
    standings: tuple[ItemStanding, ...]

    @property
    def is_open(self) -> bool:
        """True if there are items and none of them blocks."""
        return bool(self.standings) and not self.obstacles

    @property
    def obstacles(self) -> tuple[str, ...]:
        """One line for each item that stops the run."""
        return tuple(f"{s.item.item}: {s.reason}" for s in self.standings if s.is_blocking)

    @property
    def waits_only_for_people(self) -> bool:
        """True if every obstacle can be removed by a signature that is still missing."""
        blocking = [s for s in self.standings if s.is_blocking]
        return bool(blocking) and all(s.waits_for for s in blocking)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAnswers:
    """Everything known about one item: the newest look, and all signatures."""

    evidence: Evidence | None = None
    sign_offs: tuple[SignOff, ...] = ()
