"""Groups of hosts that hold other groups: which come first, and which never end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ranking:
    """The order in which the variables of groups are merged.

    Attributes:
        order: Groups by depth and then by name; a later one wins over an earlier one.
        above: Each group with every group that holds it, itself included.
        endless: Groups that hold themselves, or are held by such; they are not in ``order``.
    """

    order: tuple[str, ...]
    above: Mapping[str, Set[str]]
    endless: Set[str]

    def of(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Return *groups* and all that hold them, in the order of merging."""
        holders = set[str]().union(*(self.above.get(group, ()) for group in groups))
        return tuple(group for group in self.order if group in holders)


def rank(children: Mapping[str, Set[str]]) -> Ranking:
    """Rank groups by the longest way to each from a group that no other holds."""
    holders = Counter(child for inner in children.values() for child in inner)
    depths: dict[str, int] = {name: 0 for name in children if not holders[name]}
    above: dict[str, set[str]] = {name: {name} for name in depths}
    ready = list(depths)
    done: set[str] = set()
    while ready:
        name = ready.pop()
        done.add(name)
        for child in children[name]:
            depths[child] = max(depths.get(child, 0), depths[name] + 1)
            above.setdefault(child, {child}).update(above[name])
            holders[child] -= 1
            if not holders[child]:
                ready.append(child)
    order = sorted(done, key=lambda name: (depths[name], name))
    return Ranking(tuple(order), above, children.keys() - done)
