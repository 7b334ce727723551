"""An environment is a folder of files, some of which may be another environment's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchestrator.adapters.content.file_forms import EnvironmentFile, InvariantsFile, PeopleFile
from orchestrator.adapters.content.inventory import Inventory, Variables, read_inventory
from orchestrator.adapters.content.loaded import Loaded
from orchestrator.adapters.content.sources import Sources
from orchestrator.adapters.content.wording import suggestion
from orchestrator.domain.environment import (
    Environment,
    EnvironmentName,
    Host,
    HostName,
    Policy,
    Service,
    ServiceName,
    Site,
)
from orchestrator.domain.journey import Journey
from orchestrator.domain.playbook import JourneyName
from orchestrator.domain.problem import Fault, Path, Position

FOLDER = "environments"
MAIN = "environment.yaml"
INVENTORY = "inventory.yaml"
JOURNEYS = "journeys"
PARTS: Mapping[str, str] = {
    "people": "people.yaml",
    "policy": "policy.yaml",
    "invariants": "invariants.yaml",
}
"""The file of each part that may be taken from the environment extended."""

NEEDED_KEYS = ("title", "kind", "sites", "services", "ssh", "watch")


_NO_INVENTORY = Inventory(hosts={}, paths={}, problems=())


@dataclass(slots=True)
class _Parts:
    """What has been found of one environment.

    Attributes:
        files: All that were read for it.
        origins: The file in which each part, or each key of ``environment.yaml``, is written.
        values: The parts themselves.
    """

    files: list[str] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)
    journeys: dict[JourneyName, Journey] = field(default_factory=dict)
    inventory: Inventory = field(default_factory=lambda: _NO_INVENTORY)


class EnvironmentLoader:
    """Puts environments together; problems go to the sources."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def load(self, name: str) -> Loaded[Environment] | None:
        """Return the environment in the folder *name*, or ``None`` if it cannot be used."""
        lineage = self._lineage(name)
        if lineage is None:
            return None
        parts = _Parts(files=[_path(folder, MAIN) for folder, _ in lineage])
        self._take_keys(lineage, parts)
        folders = [folder for folder, _ in lineage]
        self._take_files(folders, parts)
        self._take_journeys(folders, parts)
        self._read_hosts(name, parts)
        environment = self._assemble(name, parts)
        if environment is None:
            return None
        return Loaded(
            value=environment, files=tuple(sorted(set(parts.files))), locate=self._locator(parts)
        )

    def _lineage(self, name: str) -> list[tuple[str, EnvironmentFile]] | None:
        """Return the main file of the environment, then that of each one it extends.

        ``None`` if one of them cannot be read: what is missing could be there.
        """
        lineage: list[tuple[str, EnvironmentFile]] = []
        following: EnvironmentName | None = EnvironmentName(name)
        while following is not None:
            path = _path(following, MAIN)
            main = self._sources.read(path, EnvironmentFile)
            if main is None:
                return None
            self._check_name(path, main.environment, following)
            lineage.append((following, main))
            if main.extends and not self._may_extend(path, main.extends, lineage):
                return None
            following = main.extends
        return lineage

    def _may_extend(
        self, path: str, other: EnvironmentName, lineage: list[tuple[str, EnvironmentFile]]
    ) -> bool:
        known = self._sources.folder.folders(FOLDER)
        seen = [folder for folder, _ in lineage]
        if other in seen:
            self._sources.blame(
                path,
                Fault(
                    ("extends",),
                    f"`{other}` extends this one in turn",
                    "environments that extend each other have no end",
                    "remove one of the two",
                ),
            )
        elif other not in known:
            self._sources.blame(
                path,
                Fault(
                    ("extends",),
                    f"there is no environment `{other}`",
                    "its files are to be taken",
                    suggestion(other, known),
                ),
            )
        return other in known and other not in seen

    def _check_name(self, path: str, written: str, folder: str) -> None:
        if written != folder:
            self._sources.blame(path, misnamed("environment", written, folder))

    def _take_keys(self, lineage: list[tuple[str, EnvironmentFile]], parts: _Parts) -> None:
        for key in (*NEEDED_KEYS, "secrets"):
            for folder, main in lineage:
                value = getattr(main, key)
                if value is not None:
                    parts.values[key], parts.origins[key] = value, _path(folder, MAIN)
                    break
            else:
                if key in NEEDED_KEYS:
                    self._complain_of_missing(parts.files[0], key)

    def _complain_of_missing(self, path: str, key: str) -> None:
        fault = Fault((), f"`{key}` is missing", "every environment has it", f"add `{key}:`")
        self._sources.blame(path, fault)

    def _take_files(self, folders: list[str], parts: _Parts) -> None:
        for part, file in PARTS.items():
            holder = next((f for f in folders if file in self._names(f)), None)
            if holder is None:
                self._complain_of_missing_file(parts.files[0], file)
                continue
            path = _path(holder, file)
            parts.files.append(path)
            parts.origins[part] = path
            parts.values[part] = self._read_part(part, path)

    def _complain_of_missing_file(self, path: str, file: str) -> None:
        fault = Fault((), f"`{file}` is missing", "every environment has one", "add it beside")
        self._sources.blame(path, fault)

    def _read_part(self, part: str, path: str) -> object:
        match part:
            case "people":
                people = self._sources.read(path, PeopleFile)
                return people and people.people
            case "invariants":
                invariants = self._sources.read(path, InvariantsFile)
                return invariants and invariants.invariants
            case _:
                return self._sources.read(path, Policy)

    def _take_journeys(self, folders: list[str], parts: _Parts) -> None:
        holder = next((f for f in folders if JOURNEYS in self._names(f)), folders[0])
        for file in self._names(f"{holder}/{JOURNEYS}"):
            path = _path(holder, f"{JOURNEYS}/{file}")
            name = file.removesuffix(".yaml")
            if name == file:
                continue
            parts.files.append(path)
            journey = self._sources.read(path, Journey)
            if journey is not None:
                if journey.journey != name:
                    self._sources.blame(path, misnamed("journey", journey.journey, name))
                parts.journeys[journey.journey] = journey
                parts.origins[f"journey {journey.journey}"] = path

    def _read_hosts(self, name: str, parts: _Parts) -> None:
        path = _path(name, INVENTORY)
        parts.files.append(path)
        parts.origins["hosts"] = path
        parts.inventory = read_inventory(self._sources.document(path))
        self._sources.complain(*parts.inventory.problems)

    def _assemble(self, name: str, parts: _Parts) -> Environment | None:
        needed = (*NEEDED_KEYS, "people", "policy", "invariants")
        if any(parts.values.get(key) is None for key in needed):
            return None
        values = dict(parts.values)
        sites: Mapping[str, Site] = values["sites"]  # type: ignore[assignment]  # its form says so
        services: Mapping[ServiceName, Service] = values["services"]  # type: ignore[assignment]
        values["services"] = {key: replace(s, name=key) for key, s in services.items()}
        values["hosts"] = _placed_hosts(parts.inventory.hosts, sites)
        return Environment(
            environment=EnvironmentName(name),
            journeys=parts.journeys,
            **values,  # type: ignore[arg-type]  # each was read by the form of its field
        )

    def _locator(self, parts: _Parts) -> _Locator:
        return _Locator(self._sources, dict(parts.origins), parts.files[0], parts.inventory.paths)

    def _names(self, folder: str) -> tuple[str, ...]:
        return self._sources.folder.names(f"{FOLDER}/{folder}")


@dataclass(frozen=True, slots=True)
class _Locator:
    """Finds places in an environment by its parts.

    A path begins with a key of ``environment.yaml``, with ``people``, ``policy``, ``invariants``,
    ``hosts`` (the inventory) or ``journey NAME``.
    """

    sources: Sources
    origins: Mapping[str, str]
    main: str
    hosts: Mapping[str, Path]

    def __call__(self, path: Path) -> Position:
        part = str(path[0]) if path else ""
        document = self.sources.document(self.origins.get(part, self.main))
        return document.at(self._inside(part, path))

    def _inside(self, part: str, path: Path) -> Path:
        match part, path[1:]:
            case "hosts", (str() as host, *rest):
                return (*self.hosts.get(host, ()), *rest)
            case ("policy", rest):
                return tuple(rest)
            case _:
                return path[1:] if part.startswith("journey ") else path


def misnamed(key: str, written: str, wanted: str) -> Fault:
    """Return the fault of a file whose name is not what is written in it."""
    return Fault(
        (key,),
        f"`{written}` is not the name of its file or folder, `{wanted}`",
        "one thing has one name",
        "make them the same",
    )


def _placed_hosts(
    hosts: Mapping[str, Variables], sites: Mapping[str, Site]
) -> Mapping[HostName, Host]:
    site_of = {host: name for name, site in sites.items() for host in site.hosts}
    return {
        HostName(name): Host(
            name=HostName(name), site=site_of.get(HostName(name), ""), variables=variables
        )
        for name, variables in hosts.items()
    }


def _path(folder: str, file: str) -> str:
    return f"{FOLDER}/{folder}/{file}"
