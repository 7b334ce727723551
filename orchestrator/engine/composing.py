"""Stage 1 of 6, plan: put the playbooks that a playbook includes into their places. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from orchestrator.domain.playbook import (
    ChecklistName,
    ChildPlaybook,
    GateStop,
    Move,
    Playbook,
    PlaybookName,
    Step,
    StepName,
)
from orchestrator.domain.problem import Path

MOST_NESTED = 2
"""How deep playbooks may stand in playbooks; nobody can follow more at night."""

Chain = tuple[PlaybookName, ...]
"""The children that lead from the whole to a part of it; empty for the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One playbook in its place.

    Attributes:
        included: How its parent names it; nothing for the whole.
        path: Where, in its parent's document.
        top: Path of the whole's own move that led here; empty for the whole.
        is_final: True if it begins behind the point of no return.
    """

    chain: Chain
    playbook: Playbook
    included: ChildPlaybook | None = None
    path: Path = ()
    top: Path = ()
    is_final: bool = False

    @property
    def document(self) -> str:
        """As locators know it."""
        return f"playbook {self.playbook.playbook}" if self.chain else "playbook"

    def named(self, name: str) -> str:
        """Return *name*, of something in this part, as the whole knows it."""
        return "/".join((*self.chain, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A step or gate, named as the whole knows it.

    Attributes:
        path: In the document of its part.
    """

    move: Move
    part: Part
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A playbook with everything that it includes.

    Attributes:
        parts: The whole first, each before those inside it.
        moves: In the order of the run; the first gate of the whole is left out.
    """

    parts: tuple[Part, ...]
    moves: tuple[Placed, ...]


def compose(playbook: Playbook, playbooks: Mapping[PlaybookName, Playbook]) -> Composition:
    """Return *playbook* with its children in their places.

    Behind the point of no return a child's steps lose their undo and their own such point. What
    is not in *playbooks*, leads back or is nested too deep is left out: `including` tells.
    """
    composer = _Composer(playbooks)
    composer.add(Part(chain=(), playbook=playbook))
    return Composition(parts=tuple(composer.parts), moves=tuple(composer.moves))


class _Composer:
    def __init__(self, playbooks: Mapping[PlaybookName, Playbook]) -> None:
        self.parts: list[Part] = []
        self.moves: list[Placed] = []
        self._playbooks = playbooks
        self._is_final = False

    def add(self, part: Part) -> None:
        self.parts.append(part)
        if part.chain:
            self._place(GateStop(gate=part.playbook.gate), part, ("gate",))
        for index, move in enumerate(part.playbook.steps):
            if isinstance(move, ChildPlaybook):
                self._add_child(move, part, ("steps", index))
            else:
                self._place(move, part, ("steps", index))

    def _add_child(self, included: ChildPlaybook, parent: Part, path: Path) -> None:
        child = self._playbooks.get(included.playbook)
        above = {self.parts[0].playbook.playbook, *parent.chain}
        if child is None or child.playbook in above or len(parent.chain) == MOST_NESTED:
            return
        self.add(
            Part(
                chain=(*parent.chain, child.playbook),
                playbook=child,
                included=included,
                path=path,
                top=parent.top or path,
                is_final=self._is_final,
            )
        )

    def _place(self, move: Move, part: Part, path: Path) -> None:
        placed = self._without_way_back(move) if part.chain and self._is_final else move
        self._is_final = self._is_final or (isinstance(placed, Step) and placed.point_of_no_return)
        self.moves.append(Placed(move=_renamed(placed, part), part=part, path=path))

    def _without_way_back(self, move: Move) -> Move:
        if isinstance(move, GateStop):
            return move
        return replace(move, undo=None, point_of_no_return=False)


def _renamed(move: Move, part: Part) -> Move:
    if isinstance(move, GateStop):
        return replace(move, gate=ChecklistName(part.named(move.gate)))
    gate = move.if_unproven and ChecklistName(part.named(move.if_unproven))
    return replace(move, name=StepName(part.named(move.name)), if_unproven=gate)
