"""The other side: a Patroni cluster on the lab's database hosts, with HAProxy as its entry."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any, TypeVar

import httpx
import psycopg

from orchestrator.lab.postgresql import SHOP_DATABASE
from orchestrator.lab.topology import Role
from tests.bench import patroni_settings as settings
from tests.bench.bare_hands import DATA as LAB_DATA
from tests.bench.patroni_settings import DATA, FOLDER, MEMBERS
from tests.bench.roles import LabUnfit, Session, await_calm
from tests.bench.warm_ssh import WarmSsh
from tests.support.lab import Lab

T = TypeVar("T")
PATRONI, ETCD, HAPROXY = "bench-patroni", "bench-etcd", "bench-haproxy"
LAB_SERVER = "postgresql@15-main"
HAPROXY_FILE = "/run/bench-haproxy.cfg"
WHOLE_WITHIN_S = 120.0
LOOK_EVERY_S = 0.1
ANSWER_WITHIN_S = 1.0
LEADS = frozenset({"master", "primary"})
"""What a leader calls itself, by Patroni's version."""
# Without what the member once followed, and without the slots of its own followers.
COPY = (
    'set -e; install -d -o postgres -g postgres -m 700 "$1"; cp -a "$2" "$3";'
    ' rm -rf "$3"/pg_replslot/*; : > "$3/postgresql.auto.conf"'
)
WRITE = 'umask 077; cat > "$1" && chown "$2:" "$1"'
KILL = 'for unit; do systemctl kill --kill-whom=all -s KILL "$unit" 2> /dev/null || true; done'
STATES = (
    'for pid in $(cat "/sys/fs/cgroup/system.slice/$1.service/cgroup.procs" 2> /dev/null);'
    ' do ps -o stat= -p "$pid"; done; true'
)


class Patroni:
    """A cluster with a copy of the lab's data, while the lab's own service stands still."""

    def __init__(self, lab: Lab, ssh: WarmSsh) -> None:
        self._lab = lab
        self._ssh = ssh
        self._entry = lab.blueprint.having(Role.POOLER)[0].name
        self._names = [member.name for member in MEMBERS]

    def build(self, first: str) -> None:
        """Start everything for the first time, with *first* as the leader.

        Raises:
            LabUnfit: If it does not become whole.
        """
        passwords = {user: self._lab.secret(user) for user in settings.ACCOUNTS}
        for member in MEMBERS:
            self._ssh.run(member.name, ["sh", "-c", COPY, "copy", FOLDER, LAB_DATA, DATA])
            own_file = settings.patroni(member, passwords)
            self._write(member.name, f"{FOLDER}/patroni.yml", own_file, "postgres")
            self._write(
                member.name, f"{FOLDER}/postgresql.conf", settings.postgresql(), "postgres"
            )
            self._start(member.name, ETCD, "postgres", settings.etcd(member))
        self._write(self._entry, HAPROXY_FILE, settings.haproxy(), "haproxy")
        self._start(self._entry, HAPROXY, "haproxy", ["haproxy", "-db", "-f", HAPROXY_FILE])
        self._elect(first)
        for name in self._names:
            if name != first:
                self.start_member(name)
        self.await_whole()

    def remove(self) -> None:
        """Stop everything, however far :meth:`build` got, and leave no trace."""
        for name in self._names:
            self._ssh.run(name, ["sh", "-c", KILL, "kill", PATRONI, ETCD])
            self._ssh.run(name, ["rm", "-rf", FOLDER])
        self._ssh.run(self._entry, ["sh", "-c", KILL, "kill", HAPROXY])
        self._ssh.run(self._entry, ["rm", "-f", HAPROXY_FILE])

    def start_member(self, name: str) -> None:
        """Start Patroni on *name*, where it is not running; PostgreSQL follows."""
        self._start(name, PATRONI, "postgres", ["patroni", f"{FOLDER}/patroni.yml"])

    def signal(self, name: str, signal: str) -> None:
        """Send *signal* to Patroni and to all of its PostgreSQL on *name*."""
        argv = ["systemctl", "kill", "--kill-whom=all", f"--signal={signal}", PATRONI]
        self._ssh.run(name, argv)

    def states(self, name: str) -> list[str]:
        """Return the state, as `ps` tells it, of each process of Patroni on *name*."""
        return self._ssh.run(name, ["sh", "-c", STATES, "look", PATRONI]).split()

    def await_whole(self) -> str:
        """Return the leader, once all members run and a standby is named synchronous.

        Raises:
            LabUnfit: If that does not come.
        """
        return _await(self._leader_of_whole, lambda: f"Patroni is whole: {self._roles()}")

    def connect(self, user: str) -> Session:
        """Connect to the leader of the whole cluster, past the entry."""
        return psycopg.connect(
            host=self._lab.host(self.await_whole()).management,
            port=settings.POSTGRESQL_PORT,
            user=user,
            password=self._lab.secret(user),
            dbname=SHOP_DATABASE,
            autocommit=True,
        )

    def _elect(self, first: str) -> None:
        """Let *first* lead, and tell it what all are to agree on."""
        self.start_member(first)
        rest = f"http://{self._lab.host(first).management}:{settings.REST_PORT}"
        # It leads a moment before there is anything that could be replaced.
        _await(lambda: _answers(f"{rest}/config"), lambda: f"{first} leads")
        httpx.put(f"{rest}/config", json=settings.CLUSTER).raise_for_status()

    def _leader_of_whole(self) -> str:
        """Ask every member for itself: what one says of the others may be old."""
        told = {name: self._ask(name) for name in self._names}
        leaders = [name for name in self._names if told[name].get("role") in LEADS]
        if len(leaders) != 1:
            return ""
        followers = told[leaders[0]].get("replication", ())
        streaming = {f["application_name"] for f in followers if f["state"] == "streaming"}
        is_whole = (
            all(tale.get("state") == "running" for tale in told.values())
            and streaming == set(self._names) - set(leaders)
            and any(follower["sync_state"] == "sync" for follower in followers)
        )
        return leaders[0] if is_whole else ""

    def _roles(self) -> Mapping[str, object]:
        return {name: self._ask(name).get("role", "silent") for name in self._names}

    def _ask(self, name: str) -> Mapping[str, Any]:
        url = f"http://{self._lab.host(name).management}:{settings.REST_PORT}/patroni"
        try:
            tale: Mapping[str, Any] = httpx.get(url, timeout=ANSWER_WITHIN_S).json()
        except (httpx.HTTPError, ValueError):
            return {}
        return tale

    def _start(self, host: str, unit: str, user: str, argv: Sequence[str]) -> None:
        unit_of = ["systemd-run", "--quiet", "--collect", f"--unit={unit}", f"--uid={user}"]
        self._ssh.run(host, [*unit_of, "--property=KillMode=mixed", *argv])

    def _write(self, host: str, path: str, text: str, owner: str) -> None:
        self._ssh.run(host, ["sh", "-c", WRITE, "write", path, owner], stdin=text)


def require_packages() -> None:
    """Make sure that the hosts, which are copies of this machine, have Patroni's programs.

    Raises:
        LabUnfit: If one is missing.
    """
    missing = [program for program in ("patroni", "etcd", "haproxy") if not _has(program)]
    if missing:
        raise LabUnfit(f"{', '.join(missing)}: not installed; run `make bench-packages`")


@contextmanager
def patroni_in_charge(lab: Lab, ssh: WarmSsh) -> Iterator[Patroni]:
    """Let Patroni serve the lab's data during the block; the lab's own service stands still."""
    primary = await_calm(lab).primary
    names = [primary, *(member.name for member in MEMBERS if member.name != primary)]
    cluster = Patroni(lab, ssh)
    for name in names:
        ssh.run(name, ["systemctl", "stop", LAB_SERVER])
    try:
        cluster.build(primary)
        yield cluster
    finally:
        cluster.remove()
        for name in names:
            ssh.run(name, ["systemctl", "start", LAB_SERVER])
        await_calm(lab)


def _has(program: str) -> bool:
    return shutil.which(program, path="/usr/sbin:/usr/bin") is not None


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=ANSWER_WITHIN_S).is_success
    except httpx.HTTPError:
        return False


def _await(look: Callable[[], T], what: Callable[[], str]) -> T:
    until = time.monotonic() + WHOLE_WITHIN_S
    while not (seen := look()):
        if time.monotonic() > until:
            raise LabUnfit(f"not within {WHOLE_WITHIN_S:g} s: {what()}")
        Event().wait(LOOK_EVERY_S)
    return seen
