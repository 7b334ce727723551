"""A real OpenSSH server of the current user on 127.0.0.1, with keys of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.environment import Host, Secret, Ssh
from tests.support.environments import a_host
from tests.support.real_postgresql import free_port
from tests.support.waiting import wait_until

SSHD = "/usr/sbin/sshd"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealSshd:
    """One running server.

    Attributes:
        folder: Holds ``identity`` and ``known_hosts``, so it can serve as the state directory.
    """

    folder: Path
    port: int
    pid: int

    @property
    def ssh(self) -> Ssh:
        return Ssh(identity=Secret(file="identity"), known_hosts=Secret(file="known_hosts"))

    def host(self, name: str, **variables: object) -> Host:
        """Return an inventory host that is this server."""
        return a_host(name, **{"ansible_port": self.port, **variables})

    def freeze(self) -> None:
        """Stop the listener and everyone who is logged in, as a hung machine would."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kick_everybody_out(self) -> None:
        """Kill the processes of those who are logged in; the listener goes on."""
        # Their servers first, lest these still report how the programs ended.
        for pid in reversed(children_of(self.pid)):
            _tell(pid, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        for pid in (self.pid, *children_of(self.pid)):
            _tell(pid, number)


def _tell(pid: int, number: signal.Signals) -> None:
    """Signal *pid*, unless it has ended since it was seen."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


@contextmanager
def real_sshd(folder: Path, *options: str) -> Iterator[RealSshd]:
    """Start a server that lets the current user in with a fresh identity."""
    folder.chmod(0o700)
    port = free_port()
    for key in ("host_key", "identity"):
        make_key(folder / key)
    pin_host_key(folder, port)
    (folder / "sshd_config").write_text("\n".join((*options, _config(folder, port))))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(
        [SSHD, "-D", "-f", str(folder / "sshd_config"), "-E", str(folder / "log")]
    )
    try:
        wait_until(lambda: is_open(port), f"sshd listens on {port}")
        yield RealSshd(folder=folder, port=port, pid=server.pid)
    finally:
        for pid in (*children_of(server.pid), server.pid):
            _tell(pid, signal.SIGKILL)
        server.wait()


def make_key(path: Path) -> None:
    path.unlink(missing_ok=True)
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)]
    subprocess.run(argv, check=True)


def pin_host_key(folder: Path, port: int) -> None:
    public = (folder / "host_key.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {' '.join(public)}\n")


def children_of(pid: int) -> list[int]:
    """Return the descendants of *pid*, the deepest first."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    direct = [int(child) for child in path.read_text().split()] if path.exists() else []
    return [one for child in direct for one in (*children_of(child), child)]


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _config(folder: Path, port: int) -> str:
    return "\n".join(
        (
            f"ListenAddress 127.0.0.1:{port}",
            f"HostKey {folder}/host_key",
            f"AuthorizedKeysFile {folder}/identity.pub",
            f"PidFile {folder}/pid",
            "StrictModes no",
            "UsePAM no",
            "UseDNS no",
            "PasswordAuthentication no",
            "PermitRootLogin yes",
            "MaxStartups 100",
            # The shell of this machine's user may do much at its start.
            f"SetEnv HOME={folder}",
            "",
        )
    )
