"""The lab's passwords and SSH keys: made at `up`, one file each, never shared with anything."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.commands import run
from orchestrator.lab.files import File, write_file
from orchestrator.lab.topology import Blueprint

PASSWORDS = (
    "recover",
    "recover_reader",
    "canary",
    "shop",
    "replicator",
    "synthetic-user",
    "fence",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SshKey:
    """A key pair as OpenSSH writes it."""

    private: str
    public: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Everything that lets somebody in.

    Attributes:
        passwords: By role of PostgreSQL, ``synthetic-user`` for the shop's users, and ``fence``
            for the out-of-band control.
        login: The key that opens every host.
        host_keys: By host; a client pins their public halves.
    """

    passwords: Mapping[str, str]
    login: SshKey
    host_keys: Mapping[str, SshKey]


def make_credentials(blueprint: Blueprint, home: Path) -> Credentials:
    """Make fresh credentials and write what the controller needs of them below *home*."""
    remove_credentials(home)
    ssh = home / "ssh"
    ssh.mkdir(mode=0o700, parents=True)
    made = Credentials(
        passwords={name: secrets.token_urlsafe(24) for name in PASSWORDS},
        login=_make_key(ssh / "id_ed25519", "recover-lab"),
        host_keys=_make_host_keys(ssh, (host.name for host in blueprint.hosts)),
    )
    write_file(ssh / "known_hosts", File(known_hosts(blueprint, made.host_keys)))
    _write_passwords(home / "secrets", made.passwords)
    return made


def remove_credentials(home: Path) -> None:
    """Remove what :func:`make_credentials` wrote."""
    for name in ("ssh", "secrets"):
        shutil.rmtree(home / name, ignore_errors=True)


def known_hosts(blueprint: Blueprint, host_keys: Mapping[str, SshKey]) -> str:
    """Return the pins of every host at the address where the controller reaches it."""
    port = blueprint.ports.ssh
    return "".join(
        f"{host.management if port == 22 else f'[{host.management}]:{port}'}"
        f" {_bare(host_keys[host.name].public)}\n"
        for host in blueprint.hosts
    )


def _write_passwords(directory: Path, passwords: Mapping[str, str]) -> None:
    directory.mkdir(mode=0o700)
    for name, password in passwords.items():
        write_file(directory / name, File(password, 0o600))


def _make_host_keys(directory: Path, names: Iterable[str]) -> dict[str, SshKey]:
    keys = {}
    for name in names:
        path = directory / f"host-{name}"
        keys[name] = _make_key(path, name)
        path.unlink()
        path.with_suffix(".pub").unlink()
    return keys


def _make_key(path: Path, comment: str) -> SshKey:
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
    public = path.with_suffix(".pub")
    return SshKey(
        private=path.read_text(encoding="ascii"), public=public.read_text(encoding="ascii")
    )


def _bare(public: str) -> str:
    kind, key = public.split()[:2]
    return f"{kind} {key}"
