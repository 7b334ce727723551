"""Load everything below one content root, and find everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path as FilePath
from typing import TypeVar

from orchestrator.adapters.content.content import CHECKLISTS, PLAYBOOKS, Content
from orchestrator.adapters.content.crossings import absent, lint_environment
from orchestrator.adapters.content.environments import FOLDER as ENVIRONMENTS
from orchestrator.adapters.content.environments import EnvironmentLoader, misnamed
from orchestrator.adapters.content.file_forms import FileForms
from orchestrator.adapters.content.files import ContentFolder, FileRefused, parts_of
from orchestrator.adapters.content.loaded import Loaded
from orchestrator.adapters.content.sources import Sources, refusal_at
from orchestrator.adapters.content.strays import lint_names
from orchestrator.domain.checklist import Checklist
from orchestrator.domain.environment import Environment, EnvironmentName
from orchestrator.domain.errors import RequestMalformed
from orchestrator.domain.playbook import (
    Action,
    ChecklistName,
    ChildPlaybook,
    GateStop,
    Playbook,
    PlaybookName,
    Step,
)
from orchestrator.domain.problem import Fault, Path, Position, Problem
from orchestrator.engine.linting import lint_checklist, lint_playbook

PLAYBOOK_FILE = "playbook.yaml"

T = TypeVar("T")


def load_content(
    root: FilePath, action_inputs: Mapping[str, type], probe_inputs: Mapping[str, type]
) -> Content:
    """Return everything below *root*, with every problem of every file.

    Problems are values here: a broken playbook does not stop a recovery by another one.

    Args:
        root: Holds ``playbooks/``, ``checklists/`` and ``environments/``.
        action_inputs: The dataclass of each action's inputs, which its adapter owns.
        probe_inputs: The same for probes.

    Raises:
        RequestMalformed: If there is no such folder.
    """
    if not root.is_dir():
        raise RequestMalformed(f"{root} is no folder; give the one that holds `{PLAYBOOKS}/`")
    sources = Sources(ContentFolder(root), FileForms(action_inputs, probe_inputs))
    return _Loader(sources).load()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a playbook may name.

    Attributes:
        folders: Every playbook that there is, those with problems too.
    """

    checklists: Mapping[ChecklistName, Checklist]
    playbooks: Mapping[PlaybookName, Playbook]
    folders: tuple[str, ...]


class _Loader:
    """Goes through the three folders; problems go to the sources."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def load(self) -> Content:
        sources = self._sources
        sources.complain(*lint_names(sources.folder, (CHECKLISTS,)))
        checklists = dict(self._checklists())
        environments = dict(self._environments())
        playbooks = dict(self._playbooks())
        self._lint_playbooks(playbooks, checklists)
        return Content(
            playbooks=playbooks,
            checklists=checklists,
            environments=environments,
            flaws=sources.problems,
            sources=sources,
        )

    def _checklists(self) -> Iterator[tuple[ChecklistName, Loaded[Checklist]]]:
        for file in self._sources.folder.names(CHECKLISTS):
            if not file.endswith(".yaml"):
                continue
            path = f"{CHECKLISTS}/{file}"
            name = file.removesuffix(".yaml")
            checklist = self._sources.read(path, Checklist)
            if checklist is None:
                continue
            if checklist.checklist != name:
                self._sources.blame(path, misnamed("checklist", checklist.checklist, name))
            self._sources.blame(path, *lint_checklist(checklist))
            yield ChecklistName(name), self._loaded(checklist, path, (path,))

    def _environments(self) -> Iterator[tuple[EnvironmentName, Loaded[Environment]]]:
        loader = EnvironmentLoader(self._sources)
        for name in self._sources.folder.folders(ENVIRONMENTS):
            environment = loader.load(name)
            if environment is None:
                continue
            for fault in lint_environment(environment.value):
                place = environment.locate(fault.path)
                self._sources.complain(Problem(place, fault.what, fault.why, fault.remedy))
            yield EnvironmentName(name), environment

    def _playbooks(self) -> Iterator[tuple[PlaybookName, Loaded[Playbook]]]:
        for name in self._sources.folder.folders(PLAYBOOKS):
            path = f"{PLAYBOOKS}/{name}/{PLAYBOOK_FILE}"
            playbook = self._sources.read(path, Playbook)
            files = self._files_of(name)
            if playbook is not None:
                if playbook.playbook != name:
                    self._sources.blame(path, misnamed("playbook", playbook.playbook, name))
                yield PlaybookName(name), self._loaded(playbook, path, files)

    def _files_of(self, playbook: str) -> tuple[str, ...]:
        """Return every file of the playbook's folder; each has been read."""
        folder = f"{PLAYBOOKS}/{playbook}"
        files: list[str] = []
        try:
            for file in sorted(self._sources.folder.files(folder)):
                files.append(file)
                self._sources.data(file)
        except FileRefused as refused:
            place = Position(files[-1] if files else folder, 1, 1)
            self._sources.complain(refusal_at(place, refused))
        return tuple(files)

    def _lint_playbooks(
        self,
        playbooks: Mapping[PlaybookName, Loaded[Playbook]],
        checklists: Mapping[ChecklistName, Loaded[Checklist]],
    ) -> None:
        known = _Known(
            checklists={name: loaded.value for name, loaded in checklists.items()},
            playbooks={name: loaded.value for name, loaded in playbooks.items()},
            folders=self._sources.folder.folders(PLAYBOOKS),
        )
        for name, playbook in known.playbooks.items():
            self._lint_playbook(f"{PLAYBOOKS}/{name}", playbook, known)

    def _lint_playbook(self, folder: str, playbook: Playbook, known: _Known) -> None:
        own = f"{folder}/{PLAYBOOK_FILE}"
        for finding in lint_playbook(playbook, known.checklists, known.playbooks):
            _, _, gate = finding.document.partition(" ")
            self._sources.blame(f"{CHECKLISTS}/{gate}.yaml" if gate else own, finding.fault)
        self._sources.blame(
            own, *_lint_named(playbook, known), *self._lint_files(folder, playbook)
        )

    def _lint_files(self, folder: str, playbook: Playbook) -> Iterator[Fault]:
        for path, file in _files_named(playbook):
            try:
                parts_of(file)
                self._sources.data(f"{folder}/{file}")
            except FileRefused as refused:
                yield Fault(path, refused.what, refused.why, refused.remedy)

    def _loaded(self, value: T, path: str, files: tuple[str, ...]) -> Loaded[T]:
        return Loaded(value=value, files=files, locate=partial(self._at, path))

    def _at(self, file: str, path: Path) -> Position:
        return self._sources.document(file).at(path)


def _lint_named(playbook: Playbook, known: _Known) -> Iterator[Fault]:
    """Yield a fault for each checklist and playbook that is named and not there."""
    yield from absent(("gate",), "checklist", playbook.gate, known.checklists)
    for index, move in enumerate(playbook.steps):
        path: Path = ("steps", index)
        match move:
            case GateStop():
                yield from absent((*path, "gate"), "checklist", move.gate, known.checklists)
            case ChildPlaybook():
                yield from absent((*path, "playbook"), "playbook", move.playbook, known.folders)
            case Step() if move.if_unproven:
                name = move.if_unproven
                yield from absent((*path, "if_unproven"), "checklist", name, known.checklists)
            case Step():
                pass


def _files_named(playbook: Playbook) -> Iterator[tuple[Path, str]]:
    """Yield each file below the playbook's folder that its text names."""
    for index, suite in enumerate(playbook.verify.suites):
        yield ("verify", "suites", index), suite
    for index, move in enumerate(playbook.steps):
        if isinstance(move, Step):
            yield from _plays((move.action,), ("steps", index))
            undo = (move.undo.action,) if move.undo else ()
            yield from _plays(undo, ("steps", index, "undo"))


def _plays(actions: tuple[Action, ...], path: Path) -> Iterator[tuple[Path, str]]:
    for action in actions:
        play = action.inputs.get("play")
        if isinstance(play, str):
            yield (*path, action.kind, "play"), play
