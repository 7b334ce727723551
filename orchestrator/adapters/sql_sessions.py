"""SQL to the members of services: connections kept warm for each account, every wait bounded."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.sql_connecting import DeadlineConnection, connect, sql_errors
from orchestrator.adapters.sql_statements import Answer, Login, Row
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.targets import Member, member_of
from orchestrator.adapters.trouble import Trouble, Troubled, TroubleKind
from orchestrator.domain.environment import Account, Environment
from orchestrator.domain.errors import TargetUnavailable

PROGRAM = "recover"
"""Our ``application_name``, so that a look at the target's sessions knows us."""
UNACKNOWLEDGED_MS = 6_000
MOST_IDLE = 2
"""Connections kept for each login. A server that is told to stop ends every session first: the
ten that a gate's looks leave behind would make users wait 30 ms longer."""
READER_OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=60s"
"""For accounts that only look, where PostgreSQL itself takes the connection."""
PASSED_ON_SETTINGS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
"""Settings of a service that are parameters of the connection."""


class SqlSessions:
    """Keeps connections warm. Safe to use from several threads: each borrows its own."""

    def __init__(self, environment: Environment, secrets: SecretStore) -> None:
        self._environment = environment
        self._secrets = secrets
        self._idle: defaultdict[Login, list[DeadlineConnection]] = defaultdict(list)
        self._bookkeeping = threading.Lock()

    def warm(self, logins: Iterable[Login], *, within: timedelta) -> None:
        """Connect side by side, so that the first statement need not. Never fails."""
        deadline = Deadline.after(within)

        def open_one(login: Login) -> None:
            with suppress(Troubled, TargetUnavailable), self.borrow(login, deadline=deadline):
                pass

        wanted = list(dict.fromkeys(logins))
        with ThreadPoolExecutor(max_workers=len(wanted) or 1) as pool:
            list(pool.map(open_one, wanted))

    def look(
        self, login: Login, query: str, values: Row | None = None, *, deadline: Deadline
    ) -> Answer | Trouble:
        """Ask something that changes nothing; asked again if the warm connection breaks of it.

        Without *values* the query goes over the simple protocol, as it is; with them a literal
        percent sign is written twice.
        """
        answer = self.execute(login, query, values, deadline=deadline)
        if isinstance(answer, Trouble) and answer.kind is TroubleKind.LOST:
            self._drop(login)
            return self.execute(login, query, values, deadline=deadline)
        return answer

    def execute(
        self, login: Login, statement: str, values: Row | None = None, *, deadline: Deadline
    ) -> Answer | Trouble:
        """Execute once. A trouble with ``was_sent`` leaves open whether it took effect."""
        try:
            with (
                self.borrow(login, deadline=deadline) as connection,
                sql_errors(login.member, deadline),
            ):
                return execute(connection, statement, values)
        except Troubled as error:
            return error.trouble

    @contextmanager
    def borrow(self, login: Login, *, deadline: Deadline) -> Iterator[DeadlineConnection]:
        """Give a connection for the time of the block, a warm one if there is one.

        Raises:
            Troubled: If none could be opened.
        """
        connection = self._take_idle(login) or self.open(login, deadline=deadline)
        connection.deadline = deadline
        try:
            yield connection
        finally:
            self._give_back(login, connection)

    def open(
        self, login: Login, *, deadline: Deadline, at: tuple[str, int] | None = None
    ) -> DeadlineConnection:
        """Open a new connection, to *at* (folder of a Unix socket, port) if there is a tunnel.

        Raises:
            Troubled: If the member cannot be connected to.
            TargetUnavailable: If it is unknown, has no such account, or we lack the password.
        """
        member = member_of(self._environment, login.member)
        return connect(self._parameters(member, login, at), deadline, where=member.name)

    def close(self) -> None:
        """Close every idle connection."""
        with self._bookkeeping:
            idle = [connection for group in self._idle.values() for connection in group]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _take_idle(self, login: Login) -> DeadlineConnection | None:
        while True:
            with self._bookkeeping:
                group = self._idle[login]
                if not group:
                    return None
                connection = group.pop()
            if connection.is_alive:
                return connection
            connection.close()

    def _give_back(self, login: Login, connection: DeadlineConnection) -> None:
        if not self._keep_idle(login, connection):
            connection.close()

    def _keep_idle(self, login: Login, connection: DeadlineConnection) -> bool:
        """Keep *connection* for the next borrower, unless it is of no use or there are enough."""
        with self._bookkeeping:
            group = self._idle[login]
            is_wanted = connection.is_at_rest and len(group) < MOST_IDLE
            if is_wanted:
                group.append(connection)
        return is_wanted

    def _drop(self, login: Login) -> None:
        with self._bookkeeping:
            dropped = self._idle.pop(login, [])
        for connection in dropped:
            connection.close()

    def _parameters(
        self, member: Member, login: Login, at: tuple[str, int] | None
    ) -> Mapping[str, str | int]:
        service = member.service
        account = _account_of(member, login.account)
        host, port = at or (member.host.reached_at, member.port)
        parameters: dict[str, str | int] = {
            "host": host,
            "port": port,
            "dbname": login.database or service.database,
            "user": account.user,
            "application_name": PROGRAM,
            "client_encoding": "UTF8",
            "tcp_user_timeout": UNACKNOWLEDGED_MS,
            # Said here so that no variable of our surroundings says otherwise.
            "target_session_attrs": "any",
            "options": READER_OPTIONS if login.is_read_only and _is_postgresql(member) else "",
        }
        if account.password is not None:
            parameters["password"] = self._secrets.read(account.password)
        for name in PASSED_ON_SETTINGS:
            if name in service.settings:
                parameters[name] = str(service.settings[name])
        return parameters


def _account_of(member: Member, purpose: str) -> Account:
    account = member.service.accounts.get(purpose)
    if account is None:
        raise TargetUnavailable(f"{member.service.name} has no account {purpose!r}")
    return account


def _is_postgresql(member: Member) -> bool:
    return member.service.engine == "postgresql"


def execute(connection: DeadlineConnection, statement: str, values: Row | None = None) -> Answer:
    """Execute on a connection that is open; the last result counts.

    Raises:
        psycopg.Error: To be mapped by `sql_errors`.
    """
    with connection.cursor() as cursor:
        # The query is content that was frozen with the plan; whatever is data comes in values.
        cursor.execute(statement.encode(), values or None)
        while cursor.nextset():
            pass
        rows = tuple(cursor.fetchall()) if cursor.description else ()
        return Answer(rows=rows, status=cursor.statusmessage or "")
