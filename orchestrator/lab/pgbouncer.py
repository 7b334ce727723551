"""The pooler that every client of the shop's database goes through."""

from __future__ import annotations

from collections.abc import Mapping

_KNOWN = ("recover", "recover_reader", "canary", "shop")


def configuration(
    *, listen: str, port: int, databases: str, userlist: str, pidfile: str, logfile: str = ""
) -> str:
    """Return a pgbouncer.ini; without *logfile* it speaks to whoever started it.

    A pooler that waits its default 15 s before it tries a server again would outlast any
    switchover, hence ``server_login_retry``.
    """
    return f"""\
[databases]
%include {databases}
[pgbouncer]
listen_addr = {listen}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {userlist}
admin_users = recover
stats_users = recover_reader
pool_mode = transaction
max_client_conn = 500
default_pool_size = 20
server_login_retry = 0.05
server_connect_timeout = 1
server_check_delay = 0
ignore_startup_parameters = extra_float_digits
pidfile = {pidfile}
{f"logfile = {logfile}" if logfile else ""}
"""


def databases(primary: str, port: int, database: str) -> str:
    """Return the part of the configuration that says where the primary is."""
    return f"{database} = host={primary} port={port} dbname={database}\n"


def userlist(passwords: Mapping[str, str]) -> str:
    """Return the users of the pooler; in plain, since it must log in to the server as them."""
    return "".join(f'"{name}" "{passwords[name]}"\n' for name in _KNOWN)
