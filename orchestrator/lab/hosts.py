"""Hosts of the full lab: each a set of namespaces with its own systemd as PID 1."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab import network
from orchestrator.lab.commands import detach, run
from orchestrator.lab.errors import CommandFailed
from orchestrator.lab.files import File, Tree, write_file, write_tree
from orchestrator.lab.processes import kill_all
from orchestrator.lab.record import BOOT, INSIDE

_SCRIPT = Path(__file__).with_name("enter_host.sh")
CGROUP = "recover-lab"
_NAMESPACES = ("--mount", "--uts", "--ipc", "--pid", "--cgroup", "--fork", "--kill-child")
_SYSTEM_DISK = "size=1g,mode=755"
_SMALL_DISK = "size=64k,mode=755"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Empty cgroups of an earlier boot go first: a cgroup with others below it takes no process. Then
# the shell joins, before all else: that is how `down` finds the host whatever becomes of us.
_BOOT = """\
#!/bin/sh
# Switches the host on; the machine's side of it.
set -eu
export PATH={path} {environment}
find {cgroup} -depth -mindepth 1 -type d -exec rmdir {{}} ';'
echo $$ > {cgroup}/cgroup.procs
ip -n {namespace} -batch {directory}/network
exec nsenter --net=/run/netns/{namespace} {unshare} sh {script}
"""
_INSIDE = """\
#!/bin/sh
# Runs a program inside the host, past its network and its logins.
read -r pid < {cgroup}/init.scope/cgroup.procs
exec nsenter --target "$pid" --mount --uts --ipc --net --pid --wdns=/ \\
    env -i PATH={path} LANG=C.UTF-8 "$@"
"""
_LET_GO_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostView:
    """What a host sees beside a fresh copy of the machine's file system.

    Attributes:
        files: Written over the copy.
        data: Directory of the machine that becomes ``/var/lib/postgresql``, or empty.
        small: Place on the machine of a disk that becomes ``/srv/small``, or empty.
        shown: Directories of the machine that appear in it, read-only.
        hidden: Directories of the machine that appear empty.
        network: Its addresses and routes, as a batch for `ip`.
    """

    files: Tree
    network: str = ""
    data: str = ""
    small: str = ""
    shown: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


def cgroup_tree() -> Path:
    """Return where this machine has its cgroup2 tree; beside the old ones on some."""
    hybrid = Path("/sys/fs/cgroup/unified")
    return hybrid if hybrid.is_dir() else Path("/sys/fs/cgroup")


def start_host(name: str, view: HostView, directory: Path) -> None:
    """Start the host *name*, whose network exists, and return before it has booted.

    *directory* takes its files, and the programs that boot it again and that go into it; what its
    boot says on failure is in ``console.log`` there.
    """
    seed, scratch = directory / "seed", directory / "scratch"
    for place in (seed, cgroup_of(name)):
        place.mkdir(parents=True, exist_ok=True)
    write_tree(seed, view.files)
    _mount_disk(name, scratch, _SYSTEM_DISK)
    if view.small:
        _mount_disk(name, Path(view.small), _SMALL_DISK)
    write_file(directory / "network", File(view.network))
    write_file(directory / BOOT, File(_boot(name, view, directory), 0o700))
    write_file(directory / INSIDE, File(_INSIDE.format(cgroup=cgroup_of(name), path=_PATH), 0o700))
    detach([str(directory / BOOT)], console=directory / "console.log")


def _mount_disk(name: str, place: Path, options: str) -> None:
    """Mount it on the machine and not in the host: what is on it outlives a loss of power."""
    place.mkdir(exist_ok=True)
    run(["mount", "-t", "tmpfs", "-o", options, f"{CGROUP}-{name}", str(place)])


def changed_files(directory: Path) -> Path:
    """Return where the files lie that the host of *directory* changed, host on or off.

    Write there only while it is off: the kernel does not notice.
    """
    return directory / "scratch" / "upper"


def cgroup_of(name: str) -> Path:
    """Return the cgroup of every process of the host *name*."""
    return cgroup_tree() / CGROUP / name


def _boot(name: str, view: HostView, directory: Path) -> str:
    environment = {
        "HOST": name,
        "SEED": str(directory / "seed"),
        "SCRATCH": str(directory / "scratch"),
        "DATA": view.data,
        "SMALL": view.small,
        "SHOWN": "\n".join(view.shown),
        "HIDDEN": "\n".join(view.hidden),
    }
    return _BOOT.format(
        path=_PATH,
        environment=" ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items()),
        cgroup=cgroup_of(name),
        namespace=network.namespace_of(name),
        directory=shlex.quote(str(directory)),
        unshare=shlex.join(["unshare", *_NAMESPACES]),
        script=shlex.quote(str(_SCRIPT)),
    )


def kill_hosts() -> None:
    """Kill every process of every host and remove their cgroups."""
    kill_all(_pids)
    _remove_cgroups()


def unmount_disks() -> None:
    """Give up the system disks of every host, with all that is on them."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    for source, place, *_ in map(str.split, mounts):
        if source.startswith(f"{CGROUP}-"):
            run(["umount", place])


def are_alive() -> bool:
    """Tell whether any process of any host exists."""
    return any(True for _ in _pids())


def dead_hosts(names: Iterable[str]) -> list[str]:
    """Return those of *names* that were started and have no process left."""
    return [
        name
        for name in names
        if "populated 0" in (cgroup_of(name) / "cgroup.events").read_text(encoding="ascii")
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
    for path, _, _ in os.walk(cgroup_tree() / CGROUP):
        yield Path(path, name)
