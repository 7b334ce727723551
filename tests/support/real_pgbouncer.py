"""A real PgBouncer on 127.0.0.1 in front of a real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.real_postgresql import SUPERUSER, RealPostgresql, free_port
from tests.support.real_sshd import is_open
from tests.support.waiting import wait_until

PGBOUNCER = "/usr/sbin/pgbouncer"


@contextmanager
def real_pgbouncer(server: RealPostgresql) -> Iterator[int]:
    """Pool transactions to the database ``shop`` of *server*; give the port."""
    folder = Path(tempfile.mkdtemp(prefix="recover-pgbouncer-"))
    port = free_port()
    (folder / "pgbouncer.ini").write_text(_config(server, port))
    (folder / "users").write_text(f'"{SUPERUSER}" ""\n')
    become: list[str] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
    with (folder / "log").open("wb") as log:
        pooler = subprocess.Popen(
            [*become, PGBOUNCER, "pgbouncer.ini"], cwd=folder, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: is_open(port), "pgbouncer listens")
        yield port
    finally:
        pooler.kill()
        pooler.wait()
        shutil.rmtree(folder)


def _config(server: RealPostgresql, port: int) -> str:
    return f"""[databases]
shop = host=127.0.0.1 port={server.port} dbname=postgres user={SUPERUSER}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pool_mode = transaction
server_login_retry = 0.05
auth_type = trust
auth_file = users
admin_users = {SUPERUSER}
"""
