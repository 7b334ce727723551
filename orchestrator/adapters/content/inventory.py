"""An Ansible inventory in YAML: each host with its variables, in Ansible's precedence.

Source: `ansible.plugins.inventory.yaml` and `ansible.inventory.helpers` of ansible-core 2.19:
groups by depth and then by name, the deeper and the later winning, then what the host says itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from orchestrator.adapters.content.documents import REFUSED, Document
from orchestrator.adapters.content.form import placed
from orchestrator.adapters.content.groups import rank
from orchestrator.adapters.content.leaves import HOST_PATTERN
from orchestrator.adapters.content.reading import MOST_PROBLEMS
from orchestrator.adapters.content.variables import lint_variables
from orchestrator.adapters.content.wording import label, show, suggestion
from orchestrator.domain.problem import Fault, Path, Problem

ROOT = "all"
MOST_GROUPS = 500
SECTIONS = ("hosts", "children", "vars")
_GROUP_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")

Variables = Mapping[str, object]


@dataclass(slots=True)
class _Group:
    variables: dict[str, object] = field(default_factory=dict)
    children: dict[str, Path] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What an inventory says.

    Attributes:
        hosts: The variables of each host, in the order of the file.
        paths: Where in the document each host is first named.
        problems: What is wrong; the rest may be used to find more of it.
    """

    hosts: Mapping[str, Variables]
    paths: Mapping[str, Path]
    problems: tuple[Problem, ...]


def read_inventory(document: Document) -> Inventory:
    """Return what *document* says; never raises for what is in it."""
    if document.value is REFUSED:
        return Inventory(hosts={}, paths={}, problems=document.problems)
    reader = _Reader()
    reader.read(document.value)
    hosts = reader.hosts()
    problems = tuple(placed(fault, document) for fault in reader.faults[:MOST_PROBLEMS])
    return Inventory(hosts=hosts, paths=reader.paths, problems=(*document.problems, *problems))


class _Reader:
    """Collects groups and hosts, as far as they can be understood."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.paths: dict[str, Path] = {}
        self._groups: dict[str, _Group] = {ROOT: _Group()}
        self._hosts: dict[str, dict[str, object]] = {}

    def read(self, value: object) -> None:
        for name, group in self._mapping(value, ()).items():
            self._read_group(name, group, (name,))
        held = {child for group in self._groups.values() for child in group.children}
        for name in self._groups.keys() - held - {ROOT}:
            self._groups[ROOT].children.setdefault(name, ())
        if len(self._groups) > MOST_GROUPS:
            self._complain(
                (), f"there are more than {MOST_GROUPS} groups", "nobody has so many", "merge some"
            )
            self._groups = {ROOT: _Group()}

    def hosts(self) -> Mapping[str, Variables]:
        ranking = rank({name: group.children.keys() for name, group in self._groups.items()})
        self._complain_of_circles(ranking.endless)
        groups_of: dict[str, set[str]] = {name: {ROOT} for name in self._hosts}
        for name, group in self._groups.items():
            for host in group.hosts:
                groups_of[host].add(name)
        shared = {
            groups: self._merged(ranking.of(groups))
            for groups in {frozenset(groups) for groups in groups_of.values()}
        }
        return {
            host: {**shared[frozenset(groups_of[host])], **own}
            for host, own in self._hosts.items()
        }

    def _merged(self, groups: Sequence[str]) -> Variables:
        merged: dict[str, object] = {}
        for name in groups:
            merged |= self._groups[name].variables
        return merged

    def _complain_of_circles(self, endless: Set[str]) -> None:
        for name in sorted(endless):
            for child, path in self._groups[name].children.items():
                if child in endless:
                    self._complain(
                        path,
                        f"`{child}` is held by `{name}` and holds it, or something that does",
                        "groups that hold each other have no end",
                        "remove one of the two",
                    )

    def _read_group(self, name: str, value: object, path: Path) -> None:
        if not _GROUP_PATTERN.fullmatch(name):
            self._complain(
                path,
                f"{label(path)} is no name of a group",
                "Ansible knows letters, digits, `_` and `-`",
                "choose another name",
            )
            return
        group = self._groups.setdefault(name, _Group())
        for section, inner in self._mapping(value, path).items():
            here = (*path, section)
            match section:
                case "vars":
                    group.variables |= self._variables(inner, here)
                case "hosts":
                    self._read_hosts(group, inner, here)
                case "children":
                    self._read_children(name, inner, here)
                case _:
                    self._complain_of_section(section, here)

    def _read_hosts(self, group: _Group, value: object, path: Path) -> None:
        for name, variables in self._mapping(value, path).items():
            here = (*path, name)
            if not re.fullmatch(HOST_PATTERN, name):
                self._complain_of_host(here)
                continue
            group.hosts.add(name)
            self.paths.setdefault(name, here)
            self._hosts.setdefault(name, {}).update(self._variables(variables, here))

    def _read_children(self, parent: str, value: object, path: Path) -> None:
        for name, group in self._mapping(value, path).items():
            self._groups[parent].children[name] = (*path, name)
            self._groups.setdefault(name, _Group())
            self._read_group(name, group, (*path, name))

    def _variables(self, value: object, path: Path) -> dict[str, object]:
        variables = self._mapping(value, path)
        self.faults += lint_variables(variables, path)
        return dict(variables)

    def _mapping(self, value: object, path: Path) -> Mapping[str, object]:
        """Return *value* if it is a mapping; nothing written is an empty one."""
        if isinstance(value, dict):
            return value
        if value is not None and value is not REFUSED:
            self._complain(
                path,
                f"{label(path)} is {show(value)}",
                "a mapping is wanted",
                "write `key: value`",
            )
        return {}

    def _complain_of_section(self, section: str, path: Path) -> None:
        self._complain(
            path,
            f"`{section[:64]}` is not known in {label(path[:-1])}",
            "Ansible would ignore it",
            suggestion(section, SECTIONS),
        )

    def _complain_of_host(self, path: Path) -> None:
        self._complain(
            path,
            f"{label(path)} is no name of a host",
            "patterns and ports in names are not expanded here",
            "write one line for each host, the port as `ansible_port`",
        )

    def _complain(self, path: Path, what: str, why: str, remedy: str) -> None:
        self.faults.append(Fault(path, what, why, remedy, at_key=True))
