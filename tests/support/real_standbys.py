"""Real standbys that stream from a real primary."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.real_postgresql import BIN, SUPERUSER, RealPostgresql, free_port
from tests.support.waiting import wait_until


@contextmanager
def real_standbys(primary: RealPostgresql, *names: str) -> Iterator[Sequence[RealPostgresql]]:
    """Start standbys of *primary* that stream under these names, and wait until they do."""
    with ExitStack() as stack:
        standbys = [stack.enter_context(_standby(primary, name)) for name in names]
        wait_until(lambda: _streaming(primary) >= set(names), f"{names} stream")
        yield standbys


def _streaming(primary: RealPostgresql) -> set[object]:
    with primary.connect() as connection:
        rows = connection.execute(
            "select application_name from pg_stat_replication where state = 'streaming'"
        )
        return {row[0] for row in rows}


@contextmanager
def _standby(primary: RealPostgresql, name: str) -> Iterator[RealPostgresql]:
    home = Path(tempfile.mkdtemp(prefix="recover-pg-"))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    server = RealPostgresql(data=home / "data", port=free_port())
    source = f"host=127.0.0.1 port={primary.port} user={SUPERUSER} application_name={name}"
    try:
        _copy(source, server.data)
        server.start()
        yield server
    finally:
        if (server.data / "postmaster.pid").exists():
            server.thaw()
            server.stop()
        shutil.rmtree(home)


def _copy(source: str, data: Path) -> None:
    become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
    argv = [str(BIN / "pg_basebackup"), "-D", str(data), "-R", "-c", "fast", "-N", "-d", source]
    subprocess.run([*(become if os.geteuid() == 0 else []), *argv], check=True, cwd="/")
