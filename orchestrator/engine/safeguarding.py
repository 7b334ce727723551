"""Mode lint: fence, prove, promote; and a way back until there is none. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.domain.playbook import GateStop, Playbook, Step
from orchestrator.domain.problem import Fault, Path


def lint_safeguards(playbook: Playbook) -> Iterator[Fault]:
    """Yield what would let *playbook* lose data, or leave nobody a way back."""
    yield from _lint_steps(playbook)
    yield from _lint_point_of_no_return(playbook)
    yield from _lint_promotions(playbook)
    yield from _lint_roll_back(playbook)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A step and where it stands among the moves."""

    step: Step
    index: int

    @property
    def path(self) -> Path:
        return ("steps", self.index)

    @property
    def is_fence(self) -> bool:
        return bool(self.step.effect.fences)


def _steps(playbook: Playbook) -> list[_Placed]:
    return [_Placed(m, i) for i, m in enumerate(playbook.steps) if isinstance(m, Step)]


def _lint_steps(playbook: Playbook) -> Iterator[Fault]:
    if not _steps(playbook):
        yield Fault(("steps",), "there are no steps", "nothing would be done", "add a step")
    for placed in _steps(playbook):
        yield from _lint_step(placed)


def _lint_step(placed: _Placed) -> Iterator[Fault]:
    step, path = placed.step, placed.path
    if not step.expect:
        yield Fault(
            (*path, "expect"),
            f"step `{step.name}` expects nothing",
            "success is seen in the world, never in a return code",
            "add a probe that holds only when the step took effect",
        )
    if step.undo and not step.undo.expect:
        yield Fault(
            (*path, "undo"),
            f"the undo of `{step.name}` expects nothing",
            "a step is back only when a probe has seen it",
            "add `expect:` to it",
        )
    if step.time_limit <= timedelta(0):
        yield Fault(
            (*path, "time_limit"), "there is no time", "the step would fail", "write more than 0s"
        )
    if not step.if_you_stop_here:
        yield Fault(
            path,
            f"step `{step.name}` does not say where it leaves the world",
            "whoever has to decide at night must know",
            "add `if_you_stop_here:`",
        )


def _points_of_no_return(playbook: Playbook) -> list[_Placed]:
    return [placed for placed in _steps(playbook) if placed.step.point_of_no_return]


def _promotions(playbook: Playbook) -> list[_Placed]:
    return [placed for placed in _steps(playbook) if placed.step.effect.promotes]


def _lint_point_of_no_return(playbook: Playbook) -> Iterator[Fault]:
    points, promotions = _points_of_no_return(playbook), _promotions(playbook)
    for extra in points[1:]:
        yield Fault(
            (*extra.path, "point_of_no_return"),
            f"`{extra.step.name}` is a second point of no return",
            f"after `{points[0].step.name}` nothing is taken back any more",
            "keep the first one only",
        )
    for placed in promotions[:1]:
        if not points or placed.index < points[0].index:
            yield Fault(
                placed.path,
                f"`{placed.step.name}` promotes before the point of no return",
                "what was promoted takes writes, and cannot be taken back",
                "add `point_of_no_return: true` to it",
            )
    for point in points[:1]:
        yield from _lint_gate_before(point, playbook)


def _lint_gate_before(point: _Placed, playbook: Playbook) -> Iterator[Fault]:
    is_first = point.index == 0
    if not is_first and not isinstance(playbook.steps[point.index - 1], GateStop):
        yield Fault(
            point.path,
            f"there is no gate directly before `{point.step.name}`",
            "the last moment to turn back needs fresh evidence",
            "put `- gate: NAME` before it",
        )


def _lint_promotions(playbook: Playbook) -> Iterator[Fault]:
    fences = [placed for placed in _steps(playbook) if placed.is_fence]
    for fence in fences:
        if not fence.step.prove:
            yield Fault(
                fence.path,
                f"the fence `{fence.step.name}` is not proved",
                "unreachable is not fenced: a write must be seen to fail",
                "add `prove:` with a write that must be refused",
            )
    for promotion in _promotions(playbook):
        if not any(f.index < promotion.index and f.step.prove for f in fences):
            yield Fault(
                (*promotion.path, "effect"),
                f"`{promotion.step.name}` promotes, and no proven fence comes before",
                "two members that take writes lose data",
                "put a step with `effect: {fences: ...}` and `prove:` before it",
            )


def _lint_roll_back(playbook: Playbook) -> Iterator[Fault]:
    points = _points_of_no_return(playbook)
    last = points[0].index if points else len(playbook.steps)
    before = [placed for placed in _steps(playbook) if placed.index < last]
    after = [placed for placed in _steps(playbook) if placed.index >= last]
    for placed in before:
        yield from _lint_undo(placed)
    for placed in after:
        yield from _lint_no_way_back(placed)
    if any(placed.step.undo for placed in before) and not playbook.prior_state:
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
        placed.path,
        f"step `{step.name}` cannot be taken back",
        "before the point of no return a failure must leave the prior state",
        "add `undo:` (or `changes_nothing: true`; a fence may tell `if_it_fails:` instead)",
    )


def _lint_no_way_back(placed: _Placed) -> Iterator[Fault]:
    step = placed.step
    if step.undo:
        yield Fault(
            (*placed.path, "undo"),
            f"the undo of `{step.name}` is never taken",
            "from the point of no return on nothing is taken back",
            "remove it",
        )
    if not step.if_it_fails:
        yield Fault(
            placed.path,
            f"step `{step.name}` does not say what to do when it fails",
            "nothing is taken back any more, so the run holds for a person",
            "add `if_it_fails:`",
        )
