"""Mode lint: what makes a playbook unsafe, seen from its text alone. Pure.

Each rule yields faults with paths as the author wrote them; the content adapter knows the lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from orchestrator.domain.checklist import Checklist, ChecklistItem
from orchestrator.domain.playbook import (
    ChecklistName,
    Objectives,
    Parameter,
    ParameterKind,
    Playbook,
    PlaybookName,
    Step,
)
from orchestrator.domain.problem import Fault, Path
from orchestrator.domain.quantity import parse_duration, parse_size
from orchestrator.engine.accepting import lint_unproven
from orchestrator.engine.choosing import Choice
from orchestrator.engine.composing import compose
from orchestrator.engine.including import lint_children
from orchestrator.engine.safeguarding import lint_safeguards
from orchestrator.engine.tracing import Finding, trace

PLAYBOOK = "playbook"
_FITTING_DEFAULTS = {
    ParameterKind.DURATION: "a duration",
    ParameterKind.NUMBER: "a number",
    ParameterKind.MEMBER: f"one of {', '.join(Choice)}",
}
_NO_PLAYBOOKS: Mapping[PlaybookName, Playbook] = MappingProxyType({})


def lint_playbook(
    playbook: Playbook,
    checklists: Mapping[ChecklistName, Checklist],
    playbooks: Mapping[PlaybookName, Playbook] = _NO_PLAYBOOKS,
) -> tuple[Finding, ...]:
    """Return everything that must be mended before *playbook* may run.

    Args:
        playbook: As written.
        checklists: Those of its gates that there are; a missing one is not complained about.
        playbooks: The same for its children.
    """
    own = (
        *_lint_objectives(playbook.objectives),
        *_lint_parameters(playbook),
        *_lint_locks(playbook),
        *_lint_names(playbook),
        *lint_safeguards(compose(playbook, playbooks)),
        *lint_children(playbook, checklists, playbooks),
    )
    return (
        *(Finding(PLAYBOOK, fault) for fault in own),
        *trace(playbook, checklists),
        *lint_unproven(playbook, checklists),
    )


def lint_checklist(checklist: Checklist) -> tuple[Fault, ...]:
    """Return what is wrong with *checklist*, whichever playbook uses it."""
    faults = list(repetitions([item.item for item in checklist.items], ("items",), "item"))
    if not checklist.items:
        faults.append(
            Fault(("items",), "there are no items", "an empty list never opens", "add an item")
        )
    for index, item in enumerate(checklist.items):
        faults += _lint_item(item, ("items", index))
    return tuple(faults)


def repetitions(names: Sequence[str], path: Path, key: str) -> Iterator[Fault]:
    """Yield a fault for each of *names* that was there before."""
    seen: Counter[str] = Counter()
    for index, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            yield Fault(
                (*path, index, key),
                f"`{name}` is there already",
                "a name stands for one thing",
                "choose another name",
            )


def _lint_item(item: ChecklistItem, path: Path) -> Iterator[Fault]:
    if (item.probe is None) == (not item.role):
        yield Fault(
            path,
            f"item `{item.item}` is answered by {'both' if item.role else 'nobody'}",
            "either a probe or the people of a role answer it",
            "give exactly one of a probe and `role:`",
        )
    if item.people < 1:
        yield Fault(
            (*path, "people"), "nobody has to sign", "that is no answer", "write at least 1"
        )
    yield from _lint_waive(item, (*path, "waive"))
    if item.fresh_for <= timedelta(0):
        yield Fault(
            (*path, "fresh_for"),
            "an answer is stale at once",
            "the gate would never open",
            "write how long an answer stays true",
        )


def _lint_waive(item: ChecklistItem, path: Path) -> Iterator[Fault]:
    if item.waive and item.probe is None:
        yield Fault(
            path,
            f"`{item.item}` is not answered by a probe",
            "people who are asked say yes or no; there is nothing to waive",
            "remove it",
        )
    if item.waive and item.waive.people < 1:
        yield Fault(
            (*path, "people"), "nobody has to waive it", "it would be no item", "write at least 1"
        )


def _lint_objectives(objectives: Objectives) -> Iterator[Fault]:
    if objectives.downtime is None and objectives.back_within is None:
        yield Fault(
            ("objectives",),
            "nothing is promised of the time that users are without service",
            "a recovery that has no limit cannot miss it",
            "write `downtime:` for what begins with your own steps, else `back_within:`",
        )


def _lint_parameters(playbook: Playbook) -> Iterator[Fault]:
    for name, parameter in playbook.parameters.items():
        path: Path = ("parameters", name)
        if parameter.kind is ParameterKind.SERVICE and not parameter.engine:
            yield Fault(path, f"`{name}` names no engine", "any service would do", "add `engine:`")
        if parameter.kind is ParameterKind.MEMBER and not _is_service(
            parameter.member_of, playbook.parameters
        ):
            yield Fault(
                path,
                f"`{name}` is a member of no service",
                "`member_of` must name a parameter of kind service that stands before it",
                "add or correct `member_of:`",
            )
        yield from _lint_default(name, parameter)


def _is_service(name: str, parameters: Mapping[str, Parameter]) -> bool:
    return name in parameters and parameters[name].kind is ParameterKind.SERVICE


def _lint_default(name: str, parameter: Parameter) -> Iterator[Fault]:
    try:
        match parameter.kind:
            case ParameterKind.DURATION if parameter.default:
                parse_duration(parameter.default)
            case ParameterKind.NUMBER if parameter.default:
                _parse_number(parameter.default)
            case ParameterKind.MEMBER if parameter.default:
                _parse_choice(parameter.default)
            case _:
                pass
    except ValueError as error:
        yield Fault(
            ("parameters", name, "default"),
            f"the default of `{name}` does not fit",
            str(error),
            f"write {_FITTING_DEFAULTS[parameter.kind]}",
        )


def _parse_choice(text: str) -> None:
    if text not in tuple(Choice):
        raise ValueError(f"no fact names `{text}`")


def _parse_number(text: str) -> None:
    if not text.replace(".", "", 1).isdigit():
        parse_size(text)


def _lint_locks(playbook: Playbook) -> Iterator[Fault]:
    lockable = {ParameterKind.SERVICE, ParameterKind.MEMBER}
    fitting = [name for name, p in playbook.parameters.items() if p.kind in lockable]
    if not playbook.locks:
        yield Fault(
            ("locks",),
            "nothing is locked",
            "two engineers could run this on the same service at once",
            f"name one of: {', '.join(fitting)}",
        )
    for index, lock in enumerate(playbook.locks):
        if lock not in fitting:
            yield Fault(
                ("locks", index),
                f"`{lock}` cannot be locked",
                "it is no parameter of kind service or member",
                f"name one of: {', '.join(fitting)}",
            )


def _lint_names(playbook: Playbook) -> Iterator[Fault]:
    names = [m.name if isinstance(m, Step) else f"move {i}" for i, m in enumerate(playbook.steps)]
    yield from repetitions(names, ("steps",), "step")
