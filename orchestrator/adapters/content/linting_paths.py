"""What is wrong in a whole content root, in a part of one, or in a single file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.adapters.content.content import CHECKLISTS, PLAYBOOKS
from orchestrator.adapters.content.documents import REFUSED
from orchestrator.adapters.content.environments import FOLDER as ENVIRONMENTS
from orchestrator.adapters.content.file_forms import (
    EnvironmentFile,
    FileForms,
    InvariantsFile,
    PeopleFile,
)
from orchestrator.adapters.content.files import ContentFolder
from orchestrator.adapters.content.inventory import read_inventory
from orchestrator.adapters.content.loading import load_content
from orchestrator.adapters.content.sources import Sources
from orchestrator.domain.checklist import Checklist
from orchestrator.domain.environment import Policy
from orchestrator.domain.journey import Journey
from orchestrator.domain.playbook import Playbook
from orchestrator.domain.problem import Fault, Position, Problem
from orchestrator.engine.linting import lint_checklist, lint_playbook

FILES: Mapping[str, type] = {
    "playbook": Playbook,
    "checklist": Checklist,
    "environment": EnvironmentFile,
    "people": PeopleFile,
    "start": Policy,
    "invariants": InvariantsFile,
    "journey": Journey,
}
"""What a file is, by the key that it must have."""


ROOT_FOLDERS = (PLAYBOOKS, CHECKLISTS, ENVIRONMENTS)


def lint_paths(
    paths: Sequence[Path], action_inputs: Mapping[str, type], probe_inputs: Mapping[str, type]
) -> tuple[Problem, ...]:
    """Return what is wrong with the files and folders at *paths*, positions as of each root.

    A file that lies in a content root is checked against everything there. A stray one is
    checked by itself.
    """
    found = [
        problem
        for path in paths
        for problem in _lint_path(path.absolute(), action_inputs, probe_inputs)
    ]
    return tuple(sorted(set(found)))


def _lint_path(
    path: Path, actions: Mapping[str, type], probes: Mapping[str, type]
) -> Sequence[Problem]:
    root = _root_of(path)
    if not path.exists():
        return [_complaint(str(path), "there is no such file", "it is to be checked")]
    if root is None and path.is_dir():
        return [_complaint(str(path), "this is no content", f"it has no `{PLAYBOOKS}/`")]
    if root is None:
        return _lint_stray(path, FileForms(actions, probes))
    below = path.relative_to(root).as_posix()
    problems = load_content(root, actions, probes).problems
    return [p for p in problems if below == "." or _is_below(p.position.file, below)]


def _root_of(path: Path) -> Path | None:
    """Return the nearest folder above that holds *path* as content, if there is one."""
    for folder in (path, *path.parents):
        if any((folder / name).is_dir() for name in ROOT_FOLDERS):
            first = path.relative_to(folder).parts[:1]
            return folder if not first or first[0] in ROOT_FOLDERS else None
    return None


def _is_below(file: str, folder: str) -> bool:
    return file == folder or file.startswith(f"{folder}/")


def _lint_stray(path: Path, forms: FileForms) -> Sequence[Problem]:
    sources = Sources(ContentFolder(path.parent), forms)
    document = sources.document(path.name)
    keys = document.value if isinstance(document.value, dict) else {}
    kind: type[Any] | None = next((FILES[key] for key in FILES if key in keys), None)
    if document.value is REFUSED:
        return document.problems
    if kind is not None:
        value = sources.read(path.name, kind)
        sources.blame(path.name, *_lint_value(value))
        return sources.problems
    if "all" in keys:
        return read_inventory(document).problems
    return [_complaint(path.name, "this is no content", f"it has none of {', '.join(FILES)}")]


def _lint_value(value: object) -> Sequence[Fault]:
    match value:
        case Playbook():
            findings = lint_playbook(value, {})
            return [finding.fault for finding in findings if finding.document == "playbook"]
        case Checklist():
            return lint_checklist(value)
        case _:
            return ()


def _complaint(file: str, what: str, why: str) -> Problem:
    return Problem(Position(file, 1, 1), what, why, "give another path")
