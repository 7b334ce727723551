"""The SSH server of every host: keys only, and quick to log in to."""

from __future__ import annotations

from collections.abc import Sequence


def configuration(
    *, listen: str, port: int, directory: str, pam: bool = False, extra: Sequence[str] = ()
) -> str:
    """Return an sshd_config for keys in *directory*.

    The key exchange is pinned because OpenSSH's default (sntrup761) costs 80 ms a login;
    *pam* costs as much again.
    """
    lines = [
        f"ListenAddress {listen}",
        f"Port {port}",
        f"HostKey {directory}/ssh_host_ed25519_key",
        "KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        f"UsePAM {'yes' if pam else 'no'}",
        "UseDNS no",
        "PrintMotd no",
        "PrintLastLog no",
        "X11Forwarding no",
        "MaxStartups 200",
        "MaxSessions 100",
        "Subsystem sftp internal-sftp",
        *extra,
    ]
    return "".join(f"{line}\n" for line in lines)
