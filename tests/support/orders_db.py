"""The lab's PostgreSQL service as an operator's hands reach it, past the product."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg

from orchestrator.lab import lifecycle
from tests.support.lab import Lab, wait_until

UNIT = "postgresql@15-main"
DATA = "/var/lib/postgresql/15/main"
MEMBERS = ("db-a1", "db-a2", "db-b1")
POOLER = "pool-a1"
OPERATOR = "recover"
# What the lab itself, and then each switchover, leaves in postgresql.auto.conf.
OWN_SETTINGS = ("primary_conninfo", "primary_slot_name")

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersDb:
    """Three members of a service and its pooler."""

    lab: Lab

    def ask(self, host: str, query: str, *values: object, database: str = "shop") -> Sequence[Row]:
        """Execute *query* on *host*, past the pooler, and return the rows if there are any."""
        with self.lab.connect(host, user=OPERATOR, database=database) as session:
            answer = session.execute(query, values or None)
            return answer.fetchall() if answer.description else ()

    def says(self, host: str, query: str, *values: object) -> bool:
        """Tell whether the first value of *query* is true."""
        rows = self.ask(host, query, *values)
        return bool(rows and rows[0][0])

    def console(self, command: str) -> Sequence[Row]:
        """Say *command* to the pooler's console."""
        with self.lab.connect(POOLER, user=OPERATOR, database="pgbouncer", pooled=True) as session:
            answer = session.execute(command)
            return answer.fetchall() if answer.description else ()

    def configure(self, host: str, name: str, value: str) -> None:
        """Set *name* on *host*, as far as a reload can."""
        self.ask(host, f"alter system set {name} = '{value}'")
        self.ask(host, "select pg_reload_conf()")

    def reset(self, host: str, name: str) -> None:
        self.ask(host, f"alter system reset {name}")
        self.ask(host, "select pg_reload_conf()")

    def signal(self, host: str, signal: str, process: str) -> None:
        """Send *signal* to the server process of *host* whose title has *process* in it."""
        self.lab.ssh(host, f"pkill --signal {signal} --full '^postgres: .*{process}'")

    def control(self, host: str, verb: str) -> None:
        """Start, stop or restart the server of *host*."""
        self.lab.ssh(host, f"systemctl {verb} {UNIT}")

    def control_all(self, hosts: Sequence[str], verb: str) -> None:
        """Do so on several hosts at once."""
        with ThreadPoolExecutor(len(hosts)) as pool:
            list(pool.map(lambda host: self.control(host, verb), hosts))

    @property
    def primary(self) -> str:
        """The member that takes writes."""
        [primary] = [m for m in MEMBERS if not self.says(m, "select pg_is_in_recovery()")]
        return primary

    @property
    def target(self) -> str:
        """The standby that a switchover would choose: the one at the primary's site."""
        primary = self.primary
        standbys = [member for member in MEMBERS if member != primary]
        beside = [m for m in standbys if self.lab.host(m).site == self.lab.host(primary).site]
        return (beside or standbys)[0]

    @property
    def bystander(self) -> str:
        """The standby that is not the target."""
        [other] = set(MEMBERS) - {self.primary, self.target}
        return other

    def takes_a_write(self) -> bool:
        """Write as users do, through the pooler."""
        with self.lab.connect(POOLER, user="canary", pooled=True) as session:
            session.execute("insert into recover_marker (run, seq) values ('by-hand', 1)")
            done = session.execute("delete from recover_marker where run = 'by-hand'")
            return done.rowcount > 0

    def complaints(self) -> tuple[str, ...]:
        """Say what is not as the lab began; nothing if all is well."""
        problems = lifecycle.status(self.lab.home).problems
        if problems:
            return problems
        try:
            complaints = (*self._entry_complaints(), *self._member_complaints())
            return complaints or self._replay_complaints()
        except psycopg.Error as error:
            return (str(error),)

    def await_well(self) -> None:
        """Wait until there is nothing to complain of."""
        wait_until(lambda: not self.complaints(), "a lab that is well again")

    def streams_from(self, standby: str) -> str:
        """Return the address that *standby* receives from."""
        rows = self.ask(
            standby, "select sender_host from pg_stat_wal_receiver where status = 'streaming'"
        )
        return str(rows[0][0]) if rows else ""

    def pooler_row(self) -> tuple[object, object]:
        """Return where the pooler sends the shop's clients, and whether it holds them."""
        with self.lab.connect(POOLER, user=OPERATOR, database="pgbouncer", pooled=True) as session:
            answer = session.execute("show databases")
            names = [column.name for column in answer.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        [shop] = [row for row in rows if row["name"] == "shop"]
        return shop["host"], shop["paused"]

    def staged_files(self) -> str:
        """Return what lies beside the pooler's database file."""
        return self.lab.ssh(POOLER, "ls -d /etc/pgbouncer/*.next 2>/dev/null || true")

    def _entry_complaints(self) -> tuple[str, ...]:
        seen, wanted = self.pooler_row(), (self.lab.host(self.primary).address, 0)
        return () if seen == wanted else (f"the pooler has {seen}, not {wanted}",)

    def _member_complaints(self) -> tuple[str, ...]:
        primary = self.primary
        found = []
        for member in MEMBERS:
            is_primary = member == primary
            slots = self.ask(member, "select slot_name, active from pg_replication_slots")
            if [active for _, active in slots] != ([True, True] if is_primary else []):
                found.append(f"{member}: slots {slots}")
            extra = self.ask(member, _FOREIGN_SETTINGS, list(OWN_SETTINGS))
            if extra:
                found.append(f"{member}: settings {extra}")
            if not is_primary and self.streams_from(member) != self.lab.host(primary).address:
                found.append(f"{member}: streams from {self.streams_from(member) or 'nobody'}")
        return tuple(found)

    def _replay_complaints(self) -> tuple[str, ...]:
        """Write, and see that it arrives; a standby that replays nothing may well stream."""
        assert self.takes_a_write()
        [(written,)] = self.ask(self.primary, "select pg_current_wal_lsn()")
        query = "select pg_last_wal_replay_lsn() >= %s::pg_lsn"
        late = [m for m in (self.target, self.bystander) if not self.says(m, query, written)]
        return tuple(f"{member}: has not replayed {written}" for member in late)


_FOREIGN_SETTINGS = """
    select name from pg_file_settings
    where sourcefile like '%%.auto.conf' and name <> all (%s)
"""
