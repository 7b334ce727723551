"""Hosts of the full lab: each a set of namespaces with its own systemd as PID 1."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab import network
from orchestrator.lab.commands import detach, run
from orchestrator.lab.errors import CommandFailed
from orchestrator.lab.files import Tree, write_tree
from orchestrator.lab.processes import kill_all

_SCRIPT = Path(__file__).with_name("enter_host.sh")
_CGROUP = "recover-lab"
_NAMESPACES = ("--mount", "--uts", "--ipc", "--pid", "--cgroup", "--fork", "--kill-child")
# The shell joins the cgroup first: that is how `down` finds the host whatever becomes of us.
_JOIN = 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"'
_LET_GO_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostView:
    """What a host sees beside a fresh copy of the machine's file system.

    Attributes:
        files: Written over the copy.
        data: Directory of the machine that becomes ``/var/lib/postgresql``, or empty.
        shown: Directories of the machine that appear in it, read-only.
        hidden: Directories of the machine that appear empty.
    """

    files: Tree
    data: str = ""
    shown: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


def cgroup_tree() -> Path:
    """Return where this machine has its cgroup2 tree; beside the old ones on some."""
    hybrid = Path("/sys/fs/cgroup/unified")
    return hybrid if hybrid.is_dir() else Path("/sys/fs/cgroup")


def start_host(name: str, view: HostView, directory: Path) -> None:
    """Start the host *name*, whose network exists, and return before it has booted.

    *directory* takes its files; what its boot says on failure is in ``console.log`` there.
    """
    seed, scratch = directory / "seed", directory / "scratch"
    for place in (seed, scratch):
        place.mkdir(parents=True, exist_ok=True)
    write_tree(seed, view.files)
    cgroup = cgroup_tree() / _CGROUP / name
    cgroup.mkdir(parents=True, exist_ok=True)
    enter = ["nsenter", f"--net=/run/netns/{network.namespace_of(name)}"]
    enter += ["unshare", *_NAMESPACES, "sh", str(_SCRIPT)]
    environment = {
        "HOST": name,
        "SEED": str(seed),
        "SCRATCH": str(scratch),
        "DATA": view.data,
        "SHOWN": "\n".join(view.shown),
        "HIDDEN": "\n".join(view.hidden),
    }
    detach(
        ["sh", "-c", _JOIN, "sh", str(cgroup), *enter],
        console=directory / "console.log",
        env=os.environ | environment,
    )


def kill_hosts() -> None:
    """Kill every process of every host and remove their cgroups."""
    kill_all(_pids)
    _remove_cgroups()


def dead_hosts(names: Iterable[str]) -> list[str]:
    """Return those of *names* that were started and have no process left."""
    tree = cgroup_tree() / _CGROUP
    return [
        name
        for name in names
        if "populated 0" in (tree / name / "cgroup.events").read_text(encoding="ascii")
    ]


def _pids() -> Iterator[int]:
    for procs in _cgroups("cgroup.procs"):
        yield from map(int, procs.read_text(encoding="ascii").split())
    for namespace in network.namespaces():
        yield from map(int, run(["ip", "netns", "pids", namespace]).split())


def _remove_cgroups() -> None:
    deepest_first = sorted(_cgroups("."), key=lambda path: len(path.parts), reverse=True)
    for cgroup in deepest_first:
        _remove_cgroup(cgroup)


def _remove_cgroup(cgroup: Path) -> None:
    deadline = time.monotonic() + _LET_GO_S
    while cgroup.exists():
        try:
            cgroup.rmdir()
        except OSError as error:
            # A killed process leaves its cgroup a moment after it has left its namespace.
            if time.monotonic() > deadline:
                raise CommandFailed(f"cannot remove {cgroup}: {error}") from error
            time.sleep(0.01)


def _cgroups(name: str) -> Iterator[Path]:
    for path, _, _ in os.walk(cgroup_tree() / _CGROUP):
        yield Path(path, name)
