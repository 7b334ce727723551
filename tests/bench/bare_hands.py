"""The baseline: a planned switchover by a quick script of the same moves, with no checks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from threading import Event

from orchestrator.adapters.system import SystemClock
from orchestrator.domain.observation import Interval
from orchestrator.lab.postgresql import BIN, SHOP_DATABASE, slot_of
from orchestrator.lab.topology import Role
from tests.bench.roles import Roles, Session, await_calm, console, operator_session, streams
from tests.bench.warm_ssh import WarmSsh
from tests.support.lab import Lab

DATA = "/var/lib/postgresql/15/main"
POOLER_DATABASES = "/etc/pgbouncer/databases.ini"
POLL_S = 0.002
GIVE_UP_S = 30.0
STOP_AND_WAIT = (
    'read -r pid < "$1/postmaster.pid" && kill -INT "$pid"'
    ' && tail --pid="$pid" -s 0.002 -f /dev/null'
)
FOLLOW_AGAIN = (
    'install -o postgres -g postgres -m 600 /dev/null "$1/standby.signal"'
    " && systemctl start postgresql@15-main"
)


class Stopwatch:
    """When each move took place, in order."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self.moves: dict[str, Interval] = {}

    @contextmanager
    def move(self, name: str) -> Iterator[None]:
        """Time one move."""
        began = self._clock.now()
        yield
        self.moves[name] = Interval(began, self._clock.now())


class BareHands:
    """Switches the lab's database over as a script would that trusts everything to go well."""

    def __init__(self, lab: Lab, ssh: WarmSsh) -> None:
        self._lab = lab
        self._ssh = ssh
        self._pooler = lab.blueprint.having(Role.POOLER)[0].name

    def switch_over(self, roles: Roles) -> Stopwatch:
        """Move the primary role to the target, and bring the old primary back as a standby."""
        with ExitStack() as stack:
            primary = stack.enter_context(closing(operator_session(self._lab, roles.primary)))
            target = stack.enter_context(closing(operator_session(self._lab, roles.target)))
            pooler = stack.enter_context(closing(console(self._lab)))
            self._prepare(roles, primary, target)
            primary.close()
            watch = self._move(roles, target, pooler)
            self._reattach(roles, target)
        return watch

    def _prepare(self, roles: Roles, primary: Session, target: Session) -> None:
        _make_slots(target, [roles.primary, *roles.bystanders])
        follow = f"alter system set primary_conninfo = '{self._conninfo(roles.target)}'"
        primary.execute(follow)
        for name in roles.bystanders:
            with closing(operator_session(self._lab, name)) as bystander:
                bystander.execute(follow)
                bystander.execute("select pg_reload_conf()")
        _poll(
            lambda: streams(self._lab, roles.target) >= set(roles.bystanders),
            "every bystander streams from the target",
        )
        primary.execute("checkpoint")
        target.execute("checkpoint")

    def _move(self, roles: Roles, target: Session, pooler: Session) -> Stopwatch:
        watch = Stopwatch()
        with watch.move("pause"):
            pooler.execute(f"pause {SHOP_DATABASE}".encode())
        with watch.move("stop"):
            self._ssh.run(roles.primary, ["sh", "-c", STOP_AND_WAIT, "stop", DATA])
        with watch.move("catch-up"):
            lsn = self._last_lsn(roles.primary)
            replayed = "select pg_last_wal_replay_lsn() > %s::pg_lsn"
            _poll(
                lambda: target.execute(replayed, (lsn,)).fetchone() == (True,),
                f"the target has replayed {lsn}",
            )
        with watch.move("promote"):
            target.execute("select pg_promote(false)")
            _poll(
                lambda: target.execute("select pg_is_in_recovery()").fetchone() == (False,),
                "the target left recovery",
            )
        with watch.move("turn"):
            self._aim_pooler(roles.target)
            pooler.execute("reload")
        with watch.move("resume"):
            pooler.execute(f"resume {SHOP_DATABASE}".encode())
        return watch

    def _last_lsn(self, host: str) -> str:
        control = self._ssh.run(host, [f"{BIN}/pg_controldata", "-D", DATA])
        if not re.search(r"cluster state: +shut down\n", control):
            raise AssertionError(f"{host} was not shut down properly:\n{control}")
        found = re.search(r"Latest checkpoint location: +(\S+)", control)
        assert found, control
        return found.group(1)

    def _aim_pooler(self, name: str) -> None:
        address, port = self._lab.host(name).address, self._lab.blueprint.ports.postgresql
        line = f"{SHOP_DATABASE} = host={address} port={port} dbname={SHOP_DATABASE}\n"
        write = ["sh", "-c", 'cat > "$1"', "turn", POOLER_DATABASES]
        self._ssh.run(self._pooler, write, stdin=line)

    def _reattach(self, roles: Roles, target: Session) -> None:
        self._ssh.run(roles.primary, ["sh", "-c", FOLLOW_AGAIN, "follow", DATA])
        await_calm(self._lab)
        with closing(operator_session(self._lab, roles.primary)) as follower:
            follower.execute(
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                " where slot_type = 'physical' and not active"
            )

    def _conninfo(self, name: str) -> str:
        port = self._lab.blueprint.ports.postgresql
        return f"host={self._lab.host(name).address} port={port} user=replicator"


def _make_slots(session: Session, names: list[str]) -> None:
    for slot in map(slot_of, names):
        session.execute(
            "select pg_create_physical_replication_slot(%(slot)s) where not exists"
            " (select from pg_replication_slots where slot_name = %(slot)s)",
            {"slot": slot},
        )


def _poll(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + GIVE_UP_S
    while not holds():
        assert time.monotonic() < until, f"never happened: {what}"
        Event().wait(POLL_S)
