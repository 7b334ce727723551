"""Mode lint: whether the playbooks that a playbook includes fit into their places. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from orchestrator.domain.checklist import Checklist
from orchestrator.domain.playbook import (
    ChecklistName,
    ChildPlaybook,
    Parameter,
    ParameterKind,
    Playbook,
    PlaybookName,
)
from orchestrator.domain.problem import Fault, Path
from orchestrator.engine.composing import MOST_NESTED
from orchestrator.engine.tracing import GIVEN, kept_names


def lint_children(
    playbook: Playbook,
    checklists: Mapping[ChecklistName, Checklist],
    playbooks: Mapping[PlaybookName, Playbook],
) -> Iterator[Fault]:
    """Yield what keeps a child from being a part of *playbook*.

    One that is not among *playbooks* is left to whoever looks for files.
    """
    kept = kept_names(playbook, checklists)
    seen: set[PlaybookName] = set()
    for index, move in enumerate(playbook.steps):
        if not isinstance(move, ChildPlaybook):
            continue
        path = ("steps", index)
        if move.playbook in seen:
            yield _repeated(move, path)
        seen.add(move.playbook)
        if child := playbooks.get(move.playbook):
            yield from _lint_nesting(playbook, child, playbooks, path)
            yield from _lint_given(playbook, move, child, path)
            yield from _lint_kept(child, kept & kept_names(child, checklists), path)
            kept |= kept_names(child, checklists)


def _repeated(move: ChildPlaybook, path: Path) -> Fault:
    return Fault(
        (*path, "playbook"),
        f"`{move.playbook}` is included already",
        "the names of its steps would stand for two",
        "include it once",
    )


def _lint_nesting(
    playbook: Playbook,
    child: Playbook,
    playbooks: Mapping[PlaybookName, Playbook],
    path: Path,
) -> Iterator[Fault]:
    if playbook.playbook in _descendants(child, playbooks):
        yield Fault(
            (*path, "playbook"),
            f"`{child.playbook}` leads back to `{playbook.playbook}`",
            "it would never end",
            "take one of the two out of the other",
        )
    elif _depth(child, playbooks, at_most=MOST_NESTED) > MOST_NESTED:
        yield Fault(
            (*path, "playbook"),
            f"`{child.playbook}` includes playbooks that include others",
            f"playbooks may be nested {MOST_NESTED} deep",
            "write out one of them",
        )


def _descendants(child: Playbook, playbooks: Mapping[PlaybookName, Playbook]) -> Set[PlaybookName]:
    """Return *child* and every playbook that it leads to."""
    found: set[PlaybookName] = set()
    waiting = [child]
    while waiting:
        here = waiting.pop()
        if here.playbook not in found:
            found.add(here.playbook)
            waiting += _children(here, playbooks)
    return found


def _children(playbook: Playbook, playbooks: Mapping[PlaybookName, Playbook]) -> list[Playbook]:
    return [playbooks[c.playbook] for c in playbook.children if c.playbook in playbooks]


def _depth(child: Playbook, playbooks: Mapping[PlaybookName, Playbook], *, at_most: int) -> int:
    """Return how many levels there are from *child* down; deeper than *at_most* counts as one."""
    below = _children(child, playbooks) if at_most else []
    return 1 + max((_depth(inner, playbooks, at_most=at_most - 1) for inner in below), default=0)


def _lint_given(
    playbook: Playbook, move: ChildPlaybook, child: Playbook, path: Path
) -> Iterator[Fault]:
    for name in move.given:
        if name not in child.parameters:
            yield Fault(
                (*path, GIVEN, name),
                f"`{child.playbook}` has no parameter `{name}`",
                "nothing would come of it",
                f"name one of: {', '.join(child.parameters)}",
                at_key=True,
            )
    for name, parameter in child.parameters.items():
        given = move.given.get(name, "")
        if parameter.kind is ParameterKind.SERVICE:
            yield from _lint_service(name, parameter, given, playbook, path)
        elif not given and not parameter.default:
            yield Fault(
                path,
                f"`{child.playbook}` is not told its `{name}`",
                "that parameter has no default",
                f"add it to `{GIVEN}:`",
            )


def _lint_service(
    name: str, parameter: Parameter, given: str, playbook: Playbook, path: Path
) -> Iterator[Fault]:
    """Yield a fault unless *given* is a service whose facts are looked up for *playbook*."""
    fitting = [
        f"${{{own}}}"
        for own, known in playbook.parameters.items()
        if known.kind is ParameterKind.SERVICE and known.engine == parameter.engine
    ]
    if given not in fitting:
        yield Fault(
            (*path, GIVEN, name),
            f"`{name}` is not a service of `{playbook.playbook}`",
            "a child acts on what its parent locks and looks up",
            f"write one of: {', '.join(fitting) or 'none'}",
        )


def _lint_kept(child: Playbook, both: Set[str], path: Path) -> Iterator[Fault]:
    for name in sorted(both):
        yield Fault(
            (*path, "playbook"),
            f"`{child.playbook}` keeps `{name}` too",
            "one would be taken for the other",
            "choose another name in one of the two",
        )
