"""Plans, made of content and of what the world says now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from orchestrator.adapters.facts_postgresql import PostgresqlFacts
from orchestrator.adapters.plain_values import plan_to_text
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.bootstrap import contents
from orchestrator.domain.plan import Facts, Plan
from orchestrator.engine.planning import Written, make_plan
from orchestrator.engine.scoping import services_of
from orchestrator.settings import Settings


def make_plan_now(
    settings: Settings, playbook: str, environment: str, given: Mapping[str, str]
) -> tuple[Plan, Mapping[str, bytes]]:
    """Look the facts up and return the plan, and the files it depends on.

    Raises:
        ContentInvalid: With every problem of these files.
        RequestRefused: If the parameters do not fit the environment as it is now.
    """
    content = contents.load(settings)
    chosen, where = content.pick(playbook, environment)
    files = content.closure(playbook, environment)
    written = Written(
        playbook=chosen.value,
        checklists={name: loaded.value for name, loaded in content.checklists.items()},
        environment=where.value,
        closure={name: hashlib.sha256(text).hexdigest() for name, text in files.items()},
        locate=content.locator(playbook, environment),
        playbooks={name: loaded.value for name, loaded in content.playbooks.items()},
    )
    return make_plan(written, given, _look_up(settings, written, given)), files


def plan_as_json(plan: Plan) -> str:
    """Return *plan* in the form that its digest is taken of."""
    return plan_to_text(plan).decode()


def _look_up(settings: Settings, written: Written, given: Mapping[str, str]) -> Facts:
    wanted = services_of(written.playbook, written.environment, given)
    sessions = SqlSessions(written.environment, SecretStore(settings.state))
    try:
        finder = PostgresqlFacts(written.environment, sessions)
        return Facts(roles={service.name: finder.roles(service) for service in wanted})
    finally:
        sessions.close()
