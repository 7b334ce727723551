"""What this machine must have and allow before a lab can be built on it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from orchestrator.lab.commands import run
from orchestrator.lab.errors import CommandFailed, NamespacesForbidden, PackagesMissing
from orchestrator.lab.hosts import cgroup_tree
from orchestrator.lab.postgresql import BIN

PACKAGES = (
    "iproute2",
    "nftables",
    "openssh-client",
    "openssh-server",
    "pgbouncer",
    "postgresql-15",
    "postgresql-client-15",
    "procps",
    "systemd",
    "systemd-sysv",
    "util-linux",
)
_PROOFS = {
    "iproute2": ("/sbin/ip", "/usr/sbin/ip"),
    "nftables": ("/usr/sbin/nft",),
    "openssh-client": ("/usr/bin/ssh", "/usr/bin/ssh-keygen"),
    "openssh-server": ("/usr/sbin/sshd",),
    "pgbouncer": ("/usr/sbin/pgbouncer",),
    "postgresql-15": (f"{BIN}/postgres",),
    "postgresql-client-15": (f"{BIN}/psql",),
    "procps": ("/sbin/sysctl", "/usr/sbin/sysctl"),
    "systemd": ("/lib/systemd/systemd",),
    "util-linux": ("/usr/bin/unshare",),
}
_NOT_IN_LOOPBACK = ("iproute2", "nftables", "systemd")

# Everything a host needs from the kernel, tried for real in namespaces that vanish at once.
_TRIAL = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
mount -t proc proc /mnt/root/proc
mount -t sysfs -o ro sysfs /mnt/root/sys
mount -t cgroup2 cgroup2 /mnt/root/sys/fs/cgroup
mkdir /mnt/root/sys/fs/cgroup/recover-lab-trial
rmdir /mnt/root/sys/fs/cgroup/recover-lab-trial
ip link add trial-a type veth peer name trial-b
ip link add trial-c type bridge
ip route add unreachable 10.77.0.0/16
"""


def require_packages(*, loopback: bool = False) -> None:
    """Check that the hosts' programs are installed.

    Raises:
        PackagesMissing: With the command that installs them.
    """
    wanted = {
        package: paths
        for package, paths in _PROOFS.items()
        if not (loopback and package in _NOT_IN_LOOPBACK)
    }
    missing = [package for package, paths in wanted.items() if not _any_exists(paths)]
    if missing:
        names = " ".join(sorted(missing))
        raise PackagesMissing(
            f"the lab's hosts need {names}: apt-get install --no-install-recommends {names}"
        )


def require_namespaces() -> None:
    """Try what the full lab does to the kernel, leaving nothing behind.

    Raises:
        NamespacesForbidden: With what the kernel, or the lack of root, refused.
        PackagesMissing: If the programs to try it with are not there.
    """
    if os.geteuid() != 0:
        raise NamespacesForbidden("the full lab needs root")
    require_packages()
    everything = ["--mount", "--uts", "--ipc", "--pid", "--cgroup", "--net", "--fork"]
    try:
        run(["unshare", *everything, "sh", "-c", _TRIAL])
        _try_cgroups(cgroup_tree())
        run(["ip", "route", "replace", "unreachable", "10.77.255.255/32"])
        run(["ip", "route", "delete", "unreachable", "10.77.255.255/32"])
    except (CommandFailed, OSError) as error:
        raise NamespacesForbidden(
            f"the full lab needs namespaces, mounts and networks of its own: {error}"
        ) from error


def _try_cgroups(tree: Path) -> None:
    trial = tree / "recover-lab-trial"
    trial.mkdir()
    can_kill = (trial / "cgroup.kill").exists()
    trial.rmdir()
    if not can_kill:
        raise CommandFailed(f"{tree} is not a tree of cgroups version 2 of Linux 5.14 or later")


def _any_exists(paths: Iterable[str]) -> bool:
    return any(Path(path).exists() for path in paths)
