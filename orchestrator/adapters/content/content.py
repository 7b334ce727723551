"""Everything below one content root, checked against each other, as it was when it was loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.adapters.content.crossings import lint_pair
from orchestrator.adapters.content.environments import FOLDER as ENVIRONMENTS
from orchestrator.adapters.content.loaded import Loaded
from orchestrator.adapters.content.sources import Sources
from orchestrator.adapters.content.wording import suggestion
from orchestrator.domain.checklist import Checklist
from orchestrator.domain.environment import Environment, EnvironmentName
from orchestrator.domain.errors import ContentInvalid, RequestMalformed
from orchestrator.domain.playbook import ChecklistName, Playbook, PlaybookName
from orchestrator.domain.problem import Path, Position, Problem

PLAYBOOKS = "playbooks"
CHECKLISTS = "checklists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is below one root.

    Attributes:
        playbooks: Those without problems of their own; the same holds for the others.
        flaws: What is wrong with single files and playbooks, wherever they are used.
        sources: The files as they were read.
    """

    playbooks: Mapping[PlaybookName, Loaded[Playbook]]
    checklists: Mapping[ChecklistName, Loaded[Checklist]]
    environments: Mapping[EnvironmentName, Loaded[Environment]]
    flaws: tuple[Problem, ...]
    sources: Sources

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, in the order of files and lines."""
        pairs = (
            problem
            for playbook in self.playbooks.values()
            for environment in self.environments.values()
            if is_meant_for(playbook.value, environment.value)
            for problem in self._problems_of_pair(playbook, environment)
        )
        return tuple(sorted({*self.flaws, *pairs}))

    def find_playbook(self, playbook: str) -> Loaded[Playbook]:
        """Return *playbook* as it is written, if it can be read.

        Raises:
            RequestMalformed: If there is no such playbook.
            ContentInvalid: With every problem of its files.
        """
        self._require(PLAYBOOKS, "playbook", playbook)
        found = self.playbooks.get(PlaybookName(playbook))
        if found is None:
            below = f"{PLAYBOOKS}/{playbook}/"
            raise ContentInvalid([p for p in self.flaws if p.position.file.startswith(below)])
        return found

    def find_environment(self, environment: str) -> Loaded[Environment]:
        """Return *environment*, whatever is wrong with playbooks and other environments.

        Raises:
            RequestMalformed: If there is no such environment.
            ContentInvalid: With every problem of its files.
        """
        self._require(ENVIRONMENTS, "environment", environment)
        found = self.environments.get(EnvironmentName(environment))
        problems = [flaw for flaw in self.flaws if self._is_about(flaw, environment)]
        if problems or found is None:
            raise ContentInvalid(problems)
        return found

    def pick(
        self, playbook: str, environment: str
    ) -> tuple[Loaded[Playbook], Loaded[Environment]]:
        """Return what is needed to plan *playbook* in *environment*.

        Problems of other playbooks and environments do not stand in the way.

        Raises:
            RequestMalformed: If there is no such playbook or environment.
            ContentInvalid: With every problem of the files that the plan would depend on.
        """
        self._require(PLAYBOOKS, "playbook", playbook)
        self._require(ENVIRONMENTS, "environment", environment)
        chosen = self.playbooks.get(PlaybookName(playbook))
        where = self.environments.get(EnvironmentName(environment))
        problems = {flaw for flaw in self.flaws if self._concerns(flaw, playbook, environment)}
        if where:
            for part in self._family(playbook):
                problems |= set(self._problems_of_pair(part, where))
        if problems or chosen is None or where is None:
            raise ContentInvalid(sorted(problems))
        return chosen, where

    def closure(self, playbook: str, environment: str) -> Mapping[str, bytes]:
        """Return every file that a plan depends on, by path below the root, sorted.

        The bytes are those that were checked, whatever has been edited since.

        Raises:
            RequestMalformed: If there is no such playbook or environment.
            ContentInvalid: With every problem of these files.
        """
        _, where = self.pick(playbook, environment)
        names = {*where.files}
        for part in self._family(playbook):
            names.update(part.files)
            for gate in part.value.gates:
                names.update(self.checklists[gate].files)
        return {name: self.sources.data(name) for name in sorted(names)}

    def locator(self, playbook: str, environment: str) -> Callable[[str, Path], Position]:
        """Return what finds places in the documents of a plan.

        Documents are ``playbook``, ``playbook CHILD``, ``checklist NAME``, ``invariants``,
        ``services`` and ``journey NAME``.

        Raises:
            RequestMalformed: If there is no such playbook or environment.
            ContentInvalid: With every problem of these files.
        """
        chosen, where = self.pick(playbook, environment)

        def locate(document: str, path: Path) -> Position:
            match document.split(" "):
                case ["playbook"]:
                    return chosen.locate(path)
                case ["playbook", child]:
                    return self.playbooks[PlaybookName(child)].locate(path)
                case ["checklist", name]:
                    return self.checklists[ChecklistName(name)].locate(path)
                case ["journey", _]:
                    return where.locate((document, *path))
                case _:
                    return where.locate(path)

        return locate

    def _require(self, folder: str, word: str, name: str) -> None:
        known = self.sources.folder.names(folder)
        if name not in known:
            raise RequestMalformed(f"there is no {word} `{name}`; {suggestion(name, known)}")

    def _family(self, playbook: str) -> tuple[Loaded[Playbook], ...]:
        """Return *playbook* and every playbook that it includes, as far as they can be read."""
        family: dict[str, Loaded[Playbook]] = {}
        waiting = [PlaybookName(playbook)]
        while waiting:
            name = waiting.pop()
            if name in self.playbooks and name not in family:
                family[name] = self.playbooks[name]
                waiting += [child.playbook for child in family[name].value.children]
        return tuple(family.values())

    def _concerns(self, flaw: Problem, playbook: str, environment: str) -> bool:
        file, family = flaw.position.file, self._family(playbook)
        if file.startswith(f"{PLAYBOOKS}/"):
            children = (child.playbook for part in family for child in part.value.children)
            folders = [f"{PLAYBOOKS}/{name}/" for name in (playbook, *children)]
            return file.startswith(tuple(folders))
        if file.startswith(f"{CHECKLISTS}/"):
            gates = (gate for part in family for gate in part.value.gates)
            return file in {f"{CHECKLISTS}/{gate}.yaml" for gate in gates}
        return self._is_about(flaw, environment)

    def _is_about(self, flaw: Problem, environment: str) -> bool:
        """Tell whether *flaw* is in a file of *environment*, or of one that it may extend."""
        file = flaw.position.file
        where = self.environments.get(EnvironmentName(environment))
        return file.startswith(f"{ENVIRONMENTS}/{environment}/") or (
            file.startswith(f"{ENVIRONMENTS}/") and (where is None or file in where.files)
        )

    def _problems_of_pair(
        self, playbook: Loaded[Playbook], environment: Loaded[Environment]
    ) -> Iterator[Problem]:
        gates = {
            name: self.checklists[name].value
            for name in playbook.value.gates
            if name in self.checklists
        }
        for finding in lint_pair(playbook.value, gates, environment.value):
            _, _, name = finding.document.partition(" ")
            holder = self.checklists[ChecklistName(name)] if name else playbook
            fault = finding.fault
            yield Problem(holder.locate(fault.path), fault.what, fault.why, fault.remedy)


def is_meant_for(playbook: Playbook, environment: Environment) -> bool:
    """Return whether *environment* has a service for each one that *playbook* wants."""
    engines = {service.engine for service in environment.services.values()}
    return all(p.engine in engines for p in playbook.parameters.values() if p.engine)
