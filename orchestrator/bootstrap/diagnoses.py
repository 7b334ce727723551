"""A diagnosis now, outside any run."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from functools import partial
from threading import Thread

from orchestrator.adapters.diagnosing.examining import Examiner, Request
from orchestrator.adapters.facts_postgresql import PostgresqlFacts
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.bootstrap import contents
from orchestrator.domain.diagnosis import Diagnosis, Examination
from orchestrator.domain.environment import Environment, HostName, Service, ServiceName
from orchestrator.domain.errors import RequestMalformed, RequestRefused
from orchestrator.engine.choosing import without_last_primary
from orchestrator.engine.diagnosing import diagnose
from orchestrator.settings import Settings

ENGINE = "postgresql"
SILENT_FOR = timedelta(seconds=10)
ROLES_LIMIT = timedelta(seconds=1.5)
"""Standbys that are to be believed answer in time; a primary that is ill need not."""


def diagnose_now(
    settings: Settings, environment: str, *, service: str, host: str
) -> tuple[Examination, Diagnosis]:
    """Examine *host*, or else the last primary of *service*, or else of the watched service.

    Raises:
        ContentInvalid: With every problem of the environment.
        RequestRefused: If there is no such service or member, or nobody knows the last primary.
    """
    where = contents.load(settings).find_environment(environment).value
    asked = _find_service(where, service or where.watch.service)
    secrets = SecretStore(settings.state)
    with closing(SqlSessions(where, secrets)) as sql, closing(SshSessions(where, secrets)) as ssh:
        warming = Thread(target=partial(ssh.warm, asked.places, within=ROLES_LIMIT), daemon=True)
        warming.start()
        primary = _find_member(asked, host) if host else _last_primary(where, asked, sql)
        seen = Examiner(where, sql, ssh).examine(_request(where, asked, primary))
    return seen, diagnose(seen, silent_for=SILENT_FOR, objective=timedelta(0))


def _find_service(environment: Environment, name: str) -> Service:
    known = {s.name: s for s in environment.services.values() if s.engine == ENGINE}
    if ServiceName(name) not in known:
        names = ", ".join(known) or "none"
        raise RequestMalformed(
            f"{name} is no {ENGINE} service of this environment; it has {names}"
        )
    return known[ServiceName(name)]


def _find_member(service: Service, host: str) -> HostName:
    if HostName(host) not in service.members:
        members = ", ".join(service.members)
        raise RequestMalformed(f"{host} is no member of {service.name}; it has {members}")
    return HostName(host)


def _last_primary(environment: Environment, service: Service, sessions: SqlSessions) -> HostName:
    roles = PostgresqlFacts(environment, sessions, within=ROLES_LIMIT).roles(service)
    if not roles.last_primary:
        reason = without_last_primary(service, roles)
        raise RequestRefused(f"{reason}; give --on HOST to examine one of them")
    return HostName(roles.last_primary)


def _request(environment: Environment, service: Service, primary: HostName) -> Request:
    watch = environment.watch
    return Request(
        primary=f"{service.name}/{primary}",
        places=service.places,
        standbys=tuple(f"{service.name}/{h}" for h in service.members if h != primary),
        account=watch.account,
        table=watch.table,
    )
