"""Looking at the invariants: quickly where it suffices, patiently where it decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

from orchestrator.domain.evidence import Evidence
from orchestrator.domain.plan import BoundInvariant, Plan
from orchestrator.domain.playbook import Probe, Step
from orchestrator.domain.run import InvariantsChecked
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.accepting import excused_members
from orchestrator.engine.concluding import judge_invariant
from orchestrator.engine.holding import holds
from orchestrator.engine.looking import Kept, look
from orchestrator.engine.ports import World

FIRST_LIMIT = timedelta(milliseconds=300)
"""For a first look: who is well answers in a hundredth of that."""
SILENT_LIMIT = timedelta(milliseconds=100)
"""For a member that was silent the last time. Being unheard never lets an invariant pass."""
FRESH_FOR_S = 1.0
"""The look after a step also serves as the one before the next, if that follows at once."""

MemberLooks = Mapping[tuple[str, str], Evidence]
"""The newest look at each member, by invariant and member."""


class Guard:
    """Checks the invariants around the steps of one run."""

    def __init__(self, plan: Plan, world: World, *, within: timedelta) -> None:
        self._plan = plan
        self._world = world
        self._within = within
        self._members: MemberLooks = {}
        self._held_at = float("-inf")

    def check_before(self, step: Step, state: RunState) -> InvariantsChecked | None:
        """Look at all of them, unless all were just seen to hold."""
        age_s = self._world.clock.monotonic() - self._held_at
        return None if age_s < FRESH_FOR_S else self._check(step, "before", state)

    def check_after(self, step: Step, state: RunState) -> InvariantsChecked:
        """Look at all of them."""
        return self._check(step, "after", state)

    def _check(self, step: Step, when: str, state: RunState) -> InvariantsChecked:
        looked_at = self._world.clock.monotonic()
        self._members, evidence = look_at_invariants(
            self._world,
            self._plan.invariants,
            state.kept,
            before=self._members,
            within=self._within,
            excused=excused_members(self._plan, state),
        )
        all_hold = all(map(holds, evidence.values()))
        self._held_at = looked_at if all_hold else float("-inf")
        return InvariantsChecked(step=step.name, when=when, evidence=evidence)


def look_at_invariants(
    world: World,
    invariants: Sequence[BoundInvariant],
    kept: Kept,
    *,
    before: MemberLooks,
    within: timedelta,
    excused: Collection[str],
) -> tuple[MemberLooks, Mapping[str, Evidence]]:
    """Return a look at every member of every invariant, and what each invariant comes to.

    Args:
        world: To look at.
        invariants: Those of the plan.
        kept: What earlier probes kept.
        before: What this gave the last time; empty if it is the first.
        within: For a member on whose answer an invariant hangs. The others get less.
        excused: Members whose silence people have accepted.
    """
    probes = {
        (invariant.invariant, member): probe
        for invariant in invariants
        for member, probe in invariant.probes.items()
    }
    limits = {key: min(_limit(before.get(key), within), within) for key in probes}
    looks = _look_at(world, probes, limits, kept)
    judged = _judge(world, invariants, looks, excused)
    doubted = {
        key: within
        for key, seen in looks.items()
        if _is_silent(seen) and limits[key] < within and _is_silent(judged[key[0]])
    }
    if doubted:
        looks = {**looks, **_look_at(world, probes, doubted, kept)}
        judged = _judge(world, invariants, looks, excused)
    return looks, judged


def _limit(before: Evidence | None, within: timedelta) -> timedelta:
    if before is None:
        return FIRST_LIMIT
    return SILENT_LIMIT if _is_silent(before) else within


def _look_at(
    world: World,
    probes: Mapping[tuple[str, str], Probe],
    limits: Mapping[tuple[str, str], timedelta],
    kept: Kept,
) -> MemberLooks:
    """Look at those that have a limit, all of the same limit at once, the shortest first."""
    looks: dict[tuple[str, str], Evidence] = {}
    for limit in sorted(set(limits.values())):
        keys = [key for key in limits if limits[key] == limit]
        seen = look(world, [probes[key] for key in keys], kept, within=limit)
        looks |= zip(keys, seen, strict=True)
    return looks


def _judge(
    world: World,
    invariants: Iterable[BoundInvariant],
    looks: MemberLooks,
    excused: Collection[str],
) -> Mapping[str, Evidence]:
    now = world.clock.now()
    return {
        one.invariant: judge_invariant(
            one,
            {member: looks[one.invariant, member] for member in one.probes},
            now=now,
            excused=excused,
        )
        for one in invariants
    }


def _is_silent(evidence: Evidence) -> bool:
    return evidence.verdict is Verdict.INCONCLUSIVE
