"""Files that would be ignored in silence, because they have another name than they should."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.adapters.content.environments import (
    FOLDER as ENVIRONMENTS,
)
from orchestrator.adapters.content.environments import INVENTORY, JOURNEYS, MAIN, PARTS
from orchestrator.adapters.content.files import ContentFolder
from orchestrator.adapters.content.wording import suggestion
from orchestrator.domain.problem import Position, Problem

_YAML = (".yaml", ".yml")
_ANSIBLE_FOLDERS = frozenset({"group_vars", "host_vars"})


def lint_names(folder: ContentFolder, lists: tuple[str, ...]) -> Iterator[Problem]:
    """Yield a problem for each file that looks like content and is not read.

    Args:
        folder: The content root.
        lists: Folders below it of which every YAML file is read.
    """
    for name in lists:
        yield from _lint_list(folder, name)
    for environment in folder.folders(ENVIRONMENTS):
        here = f"{ENVIRONMENTS}/{environment}"
        yield from _lint_environment(folder, here)
        yield from _lint_list(folder, f"{here}/{JOURNEYS}")


def _lint_list(folder: ContentFolder, here: str) -> Iterator[Problem]:
    for name in folder.names(here):
        if name.endswith(".yml"):
            yield _stray(f"{here}/{name}", f"name it `{name.removesuffix('.yml')}.yaml`")


def _lint_environment(folder: ContentFolder, here: str) -> Iterator[Problem]:
    known = (MAIN, INVENTORY, *PARTS.values())
    for name in folder.names(here):
        if name in _ANSIBLE_FOLDERS:
            yield _stray(f"{here}/{name}", f"put the variables into `{INVENTORY}`")
        elif name.endswith(_YAML) and name not in known:
            yield _stray(f"{here}/{name}", suggestion(name, known))


def _stray(path: str, remedy: str) -> Problem:
    return Problem(
        Position(path, 1, 1), "this is not read", "nobody would notice that it is ignored", remedy
    )
