"""A real PostgreSQL on 127.0.0.1, in a directory of its own, gone when the test is."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.waiting import wait_until

BIN = Path("/usr/lib/postgresql/15/bin")
SUPERUSER = "recover"


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class RealPostgresql:
    """A server that tests may stop, freeze and kill."""

    data: Path
    port: int

    def database(self, user: str = SUPERUSER, dbname: str = "postgres") -> dict[str, str | int]:
        """libpq's connection parameters."""
        return {"host": "127.0.0.1", "port": self.port, "user": user, "dbname": dbname}

    def connect(
        self, user: str = SUPERUSER, dbname: str = "postgres"
    ) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=user, dbname=dbname, autocommit=True
        )

    def execute(self, *statements: str, dbname: str = "postgres") -> None:
        with self.connect(dbname=dbname) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def start(self) -> None:
        options = (
            f"-p {self.port} -k {self.data} -c listen_addresses=127.0.0.1"
            " -c fsync=off -c max_connections=50 -c shared_buffers=16MB"
        )
        _run(
            "pg_ctl", "start", "-w", "-s", "-D", self.data, "-l", self.data / "log", "-o", options
        )

    def stop(self, mode: str = "immediate") -> None:
        if (self.data / "postmaster.pid").exists():
            _run("pg_ctl", "stop", "-w", "-s", "-D", self.data, "-m", mode)

    def kill(self) -> None:
        """Kill every process of the server at once, as a power cut would."""
        doomed = self.processes()
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, doomed)), "the server is dead")
        (self.data / "postmaster.pid").unlink()

    def freeze(self) -> None:
        """Let every process of the server hang; it still accepts connections."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def processes(self) -> tuple[int, ...]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return (self.pid, *map(int, children))

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.processes():
            # A child that has ended is there until the server itself goes on and reaps it.
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def is_running(pid: int) -> bool:
    """Zombies are not: whoever adopts them may take its time to bury them."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def real_postgresql() -> Iterator[RealPostgresql]:
    """A running server with the superuser ``recover`` and trust for everybody."""
    home = Path(tempfile.mkdtemp(prefix="recover-pg-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(home, owner.pw_uid, owner.pw_gid)
    server = RealPostgresql(data=home / "data", port=free_port())
    _run("initdb", "-D", server.data, "-U", SUPERUSER, "-A", "trust", "--no-sync", "-N")
    try:
        server.start()
        yield server
    finally:
        if (server.data / "postmaster.pid").exists():
            server.thaw()
            server.stop()
        shutil.rmtree(home)


def _run(program: str, *arguments: str | Path) -> None:
    become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
    subprocess.run(
        [*(become if os.geteuid() == 0 else []), BIN / program, *arguments],
        check=True,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
