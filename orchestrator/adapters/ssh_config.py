"""Our one way to log in, written down for programs that call OpenSSH."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.targets import login_of
from orchestrator.domain.environment import Host, Ssh


def ssh_config(hosts: Iterable[Host], ssh: Ssh, secrets: SecretStore) -> str:
    """Return an OpenSSH configuration that trusts pinned keys only and gives up in 6 s.

    It is meant for ``ssh -F``, which lets no other configuration in.
    """
    known = [_host_entry(host) for host in hosts]
    return "\n".join((*known, _for_all(ssh, secrets)))


def _host_entry(host: Host) -> str:
    user, port = login_of(host)
    return f"Host {host.name}\n  HostName {host.reached_at}\n  Port {port}\n  User {user}\n"


def _for_all(ssh: Ssh, secrets: SecretStore) -> str:
    return f"""Host *
  IdentityFile "{secrets.path(ssh.identity)}"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "{secrets.path(ssh.known_hosts)}"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
  ControlMaster no
  ControlPath none
  ConnectTimeout 5
  ServerAliveInterval 2
  ServerAliveCountMax 3
"""
