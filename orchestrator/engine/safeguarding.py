"""Mode lint: fence, prove, promote; and a way back until there is none. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.domain.playbook import GateStop, Step
from orchestrator.domain.problem import Fault, Path
from orchestrator.engine.composing import Composition, Part


def lint_safeguards(composition: Composition) -> Iterator[Fault]:
    """Yield what would let a playbook lose data, or leave nobody a way back.

    Its children count as steps of its own: what is wrong with one of these stands where the child
    is included, since alone it may be sound.
    """
    yield from _lint_steps(composition)
    yield from _lint_point_of_no_return(composition)
    yield from _lint_promotions(composition)
    yield from _lint_roll_back(composition)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A step and where it stands among the moves."""

    step: Step
    index: int
    part: Part
    own_path: Path

    @property
    def is_own(self) -> bool:
        return not self.part.chain

    @property
    def is_fence(self) -> bool:
        return bool(self.step.effect.fences)

    def at(self, *keys: str) -> Path:
        """Return the path of one of its values, or of the child that it is in."""
        return (*self.own_path, *keys) if self.is_own else self.part.top


def _steps(composition: Composition) -> list[_Placed]:
    return [
        _Placed(placed.move, index, placed.part, placed.path)
        for index, placed in enumerate(composition.moves)
        if isinstance(placed.move, Step)
    ]


def _lint_steps(composition: Composition) -> Iterator[Fault]:
    if not _steps(composition):
        yield Fault(("steps",), "there are no steps", "nothing would be done", "add a step")
    for placed in _steps(composition):
        if placed.is_own:
            yield from _lint_step(placed)


def _lint_step(placed: _Placed) -> Iterator[Fault]:
    step = placed.step
    if not step.expect:
        yield Fault(
            placed.at("expect"),
            f"step `{step.name}` expects nothing",
            "success is seen in the world, never in a return code",
            "add a probe that holds only when the step took effect",
        )
    if step.undo and not step.undo.expect:
        yield Fault(
            placed.at("undo"),
            f"the undo of `{step.name}` expects nothing",
            "a step is back only when a probe has seen it",
            "add `expect:` to it",
        )
    if step.time_limit <= timedelta(0):
        yield Fault(
            placed.at("time_limit"),
            "there is no time",
            "the step would fail",
            "write more than 0s",
        )
    if not step.if_you_stop_here:
        yield Fault(
            placed.at(),
            f"step `{step.name}` does not say where it leaves the world",
            "whoever has to decide at night must know",
            "add `if_you_stop_here:`",
        )


def _points_of_no_return(composition: Composition) -> list[_Placed]:
    return [placed for placed in _steps(composition) if placed.step.point_of_no_return]


def _promotions(composition: Composition) -> list[_Placed]:
    return [placed for placed in _steps(composition) if placed.step.effect.promotes]


def _lint_point_of_no_return(composition: Composition) -> Iterator[Fault]:
    points, promotions = _points_of_no_return(composition), _promotions(composition)
    for extra in points[1:]:
        yield Fault(
            extra.at("point_of_no_return"),
            f"`{extra.step.name}` is a second point of no return",
            f"after `{points[0].step.name}` nothing is taken back any more",
            "keep the first one only",
        )
    for placed in promotions[:1]:
        if not points or placed.index < points[0].index:
            yield Fault(
                placed.at(),
                f"`{placed.step.name}` promotes before the point of no return",
                "what was promoted takes writes, and cannot be taken back",
                "add `point_of_no_return: true` to it",
            )
    for point in points[:1]:
        yield from _lint_gate_before(point, composition)


def _lint_gate_before(point: _Placed, composition: Composition) -> Iterator[Fault]:
    is_first = point.index == 0
    if not is_first and not isinstance(composition.moves[point.index - 1].move, GateStop):
        yield Fault(
            point.at(),
            f"there is no gate directly before `{point.step.name}`",
            "the last moment to turn back needs fresh evidence",
            "put `- gate: NAME` before it",
        )


def _lint_promotions(composition: Composition) -> Iterator[Fault]:
    fences = [placed for placed in _steps(composition) if placed.is_fence]
    for fence in fences:
        if fence.is_own and not fence.step.prove:
            yield Fault(
                fence.at(),
                f"the fence `{fence.step.name}` is not proved",
                "unreachable is not fenced: a write must be seen to fail",
                "add `prove:` with a write that must be refused",
            )
    for promotion in _promotions(composition):
        if not any(f.index < promotion.index and f.step.prove for f in fences):
            yield Fault(
                promotion.at("effect"),
                f"`{promotion.step.name}` promotes, and no proven fence comes before",
                "two members that take writes lose data",
                "put a step with `effect: {fences: ...}` and `prove:` before it",
            )


def _lint_roll_back(composition: Composition) -> Iterator[Fault]:
    points = _points_of_no_return(composition)
    last = points[0].index if points else len(composition.moves)
    before = [placed for placed in _steps(composition) if placed.index < last and placed.is_own]
    after = [placed for placed in _steps(composition) if placed.index >= last]
    for placed in before:
        yield from _lint_undo(placed)
    for placed in after:
        yield from _lint_no_way_back(placed)
    whole = composition.parts[0].playbook
    if any(placed.step.undo for placed in before) and not whole.prior_state:
        yield Fault(
            (),
            "`prior_state` is missing",
            "after a roll-back it has to be proved that all is as it was",
            "add `prior_state:` with probes",
        )


def _lint_undo(placed: _Placed) -> Iterator[Fault]:
    step = placed.step
    if step.undo or step.changes_nothing or (placed.is_fence and step.if_it_fails):
        return
    yield Fault(
        placed.at(),
        f"step `{step.name}` cannot be taken back",
        "before the point of no return a failure must leave the prior state",
        "add `undo:` (or `changes_nothing: true`; a fence may tell `if_it_fails:` instead)",
    )


def _lint_no_way_back(placed: _Placed) -> Iterator[Fault]:
    step = placed.step
    if step.undo:
        yield Fault(
            placed.at("undo"),
            f"the undo of `{step.name}` is never taken",
            "from the point of no return on nothing is taken back",
            "remove it",
        )
    if not step.if_it_fails:
        yield Fault(
            placed.at(),
            f"step `{step.name}` does not say what to do when it fails",
            "nothing is taken back any more, so the run holds for a person",
            "add `if_it_fails:`",
        )
