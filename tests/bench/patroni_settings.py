"""Patroni, etcd and HAProxy, tuned to notice as soon as Patroni allows: their settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from orchestrator.lab.postgresql import BIN, settings
from orchestrator.lab.topology import FULL, Host, Role

FOLDER = "/var/lib/postgresql/patroni"
"""On the host's durable disk, as the lab's own data are."""
DATA = f"{FOLDER}/data"
MEMBERS = FULL.having(Role.DATABASE)
POSTGRESQL_PORT, REST_PORT, ENTRY_PORT = 5433, 8008, 5000
SUPERUSER, REPLICATOR = "recover", "replicator"
ACCOUNTS = (SUPERUSER, REPLICATOR)
_ETCD_CLIENTS, _ETCD_PEERS = 2379, 2380
_HOSTS_OWN = ("cluster_name", "synchronous_standby_names", "archive_")

CLUSTER: Mapping[str, object] = {
    "ttl": 20,
    "loop_wait": 1,
    "retry_timeout": 3,
    "synchronous_mode": True,
    "maximum_lag_on_failover": 1_048_576,
    "postgresql": {
        "use_pg_rewind": True,
        "use_slots": True,
        "parameters": {"max_connections": 100},
    },
}
"""What all members agree on; a smaller ttl, loop_wait or retry_timeout Patroni does not take.
Source: https://patroni.readthedocs.io/en/latest/dynamic_configuration.html"""


def patroni(member: Host, passwords: Mapping[str, str]) -> str:
    """Return the patroni.yml of *member*; it holds passwords."""
    document = {
        "scope": "bench",
        "name": member.name,
        "restapi": _listening(member, REST_PORT),
        "etcd3": {"hosts": [f"{host.address}:{_ETCD_CLIENTS}" for host in MEMBERS]},
        "watchdog": {"mode": "off"},
        "postgresql": {
            **_listening(member, POSTGRESQL_PORT),
            "data_dir": DATA,
            "bin_dir": BIN,
            "custom_conf": f"{FOLDER}/postgresql.conf",
            "pgpass": f"{FOLDER}/pgpass",
            "parameters": {"unix_socket_directories": FOLDER},
            "pg_hba": list(_client_authentication()),
            "authentication": {
                "superuser": {"username": SUPERUSER, "password": passwords[SUPERUSER]},
                "replication": {"username": REPLICATOR, "password": passwords[REPLICATOR]},
            },
        },
    }
    return json.dumps(document, indent=2)


def postgresql() -> str:
    """Return the lab's settings without those that Patroni decides.

    Archiving is left out: it costs time at a stop, and nothing here needs it.
    """
    lines = settings("", [], "").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_HOSTS_OWN))


def etcd(member: Host) -> list[str]:
    """Return the command that runs the etcd of *member*."""
    clients = f"http://{member.address}:{_ETCD_CLIENTS}"
    options = {
        "name": member.name,
        "data-dir": f"{FOLDER}/etcd",
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": _peer(member),
        "initial-advertise-peer-urls": _peer(member),
        "initial-cluster": ",".join(f"{host.name}={_peer(host)}" for host in MEMBERS),
        "initial-cluster-state": "new",
        "initial-cluster-token": "bench",
        "logger": "zap",
    }
    return ["etcd", *(f"--{name}={value}" for name, value in options.items())]


def haproxy() -> str:
    """Return the haproxy.cfg of the clients' entry.

    A server that is not the primary, or does not say so, gets no connection and loses those
    that it has. Only the answer may take longer than the time between two questions: on a
    busy machine it would now and then.
    """
    servers = "".join(
        f"    server {host.name} {host.address}:{POSTGRESQL_PORT} check port {REST_PORT}\n"
        for host in MEMBERS
    )
    return f"""\
global
    maxconn 1000
defaults
    mode tcp
    retries 0
    timeout connect 1s
    timeout check 1s
    timeout client 1h
    timeout server 1h
listen primary
    bind *:{ENTRY_PORT}
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 200ms fall 1 rise 1 on-marked-down shutdown-sessions
{servers}"""


def _listening(member: Host, port: int) -> dict[str, str]:
    return {"listen": f"0.0.0.0:{port}", "connect_address": f"{member.address}:{port}"}


def _peer(member: Host) -> str:
    return f"http://{member.address}:{_ETCD_PEERS}"


def _client_authentication() -> Iterable[str]:
    for source in ("127.0.0.1/32", FULL.prefix):
        yield f"host all all {source} scram-sha-256"
        yield f"host replication {REPLICATOR} {source} scram-sha-256"
