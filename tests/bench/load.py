"""pgbench as an innocent bystander: read-write transactions through the pooler, all through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import paramiko

from orchestrator.lab.postgresql import BIN, SHOP_DATABASE
from orchestrator.lab.topology import Role
from tests.bench.roles import LabUnfit, await_calm
from tests.bench.warm_ssh import WarmSsh, finish
from tests.support.lab import Lab

CLIENT = "client-1"
ACCOUNT = "shop"
CLIENTS = 8
SCALE = 10
LONGER_THAN_ANY_TRIAL_S = 3600
# The password comes by standard input: an argv can be read by everybody on the host.
FILL = 'read -r PGPASSWORD; export PGPASSWORD; exec "$@"'
# It lives as long as its standard input is open, so it cannot be left behind.
RUN = 'read -r PGPASSWORD; export PGPASSWORD; "$@" <&- & read -r end; kill $!; wait'
REPORTED = re.compile(r"progress: ([\d.]+) s, ([\d.]+) tps, .*?(\d+) failed")
GAVE_UP = re.compile(r"client \d+ (?:script \d+ )?aborted")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What became of pgbench's transactions.

    Attributes:
        failed: Transactions that failed, and clients that gave up.
        said: What it said beside its progress.
    """

    transactions: int
    failed: int
    said: str


class Load:
    """pgbench at work on the client host."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def stop(self) -> LoadReport:
        """Stop it and say what became of its transactions.

        Raises:
            LabUnfit: If it never reported any.
        """
        printed, said, _ = finish(self._channel)
        return read_report(printed + said)


def read_report(text: str) -> LoadReport:
    """Read the progress that pgbench printed every second.

    Raises:
        LabUnfit: If there is none.
    """
    reported = [(float(at), float(tps), int(failed)) for at, tps, failed in REPORTED.findall(text)]
    if not reported:
        raise LabUnfit(f"pgbench did not work: {text.strip()}")
    starts = [0.0, *(at for at, _, _ in reported)]
    done = sum(tps * (at - start) for start, (at, tps, _) in zip(starts, reported, strict=False))
    return LoadReport(
        transactions=round(done),
        failed=sum(failed for _, _, failed in reported) + len(GAVE_UP.findall(text)),
        said="\n".join(line for line in text.splitlines() if "progress:" not in line),
    )


@contextmanager
def tables_for_load(lab: Lab, ssh: WarmSsh) -> Iterator[None]:
    """Fill pgbench's tables, and drop them at the end."""
    server = lab.host(await_calm(lab).primary).address
    where = _where(server, lab.blueprint.ports.postgresql)
    fill = [f"{BIN}/pgbench", "-i", "-q", "-s", str(SCALE), *where]
    ssh.run(CLIENT, ["sh", "-c", FILL, "fill", *fill], stdin=f"{lab.secret(ACCOUNT)}\n")
    yield
    primary = await_calm(lab).primary
    with closing(lab.connect(primary, user=ACCOUNT)) as session:
        for table in ("accounts", "branches", "history", "tellers"):
            session.execute(f"drop table pgbench_{table}".encode())


@contextmanager
def load(lab: Lab, ssh: WarmSsh) -> Iterator[Load]:
    """Let pgbench work during the block, on connections of its own through the pooler."""
    pooler = lab.blueprint.having(Role.POOLER)[0].address
    where = _where(pooler, lab.blueprint.ports.pgbouncer)
    how = ["-n", "-M", "simple", "-c", str(CLIENTS), "-j", "1", "--max-tries=1", "-P", "1"]
    work = [f"{BIN}/pgbench", *how, "-T", str(LONGER_THAN_ANY_TRIAL_S), *where]
    argv = ["sh", "-c", RUN, "load", *work]
    with closing(ssh.start(CLIENT, argv, stdin=f"{lab.secret(ACCOUNT)}\n")) as channel:
        yield Load(channel)


def _where(host: str, port: int) -> list[str]:
    return ["-h", host, "-p", str(port), "-U", ACCOUNT, SHOP_DATABASE]
