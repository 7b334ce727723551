"""What a host suite gets: the frozen plan, hosts to look at (testinfra), members to ask (SQL).

A pytest plugin, loaded into the process of the suite. A suite names these fixtures as arguments
of its tests; ``host("db-a1")`` and ``ask("orders-db/db-a1", "select …")`` are called in them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.plain_values import plan_from_text
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.sql_statements import Login
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.targets import host_of
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.plan import Plan

FACTS_VARIABLE = "RECOVER_SUITE_FACTS"
"""Names the file that holds `SuiteFacts`, as JSON."""
ASK_LIMIT = timedelta(seconds=5)

HostLooker = Callable[[str], Host]
Asker = Callable[..., Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFacts:
    """What the process of a suite must know.

    Attributes:
        plan: File of the frozen plan.
        state: The state directory, where secrets are.
        ssh_config: For `ssh -F`.
    """

    plan: str
    state: str
    ssh_config: str


@pytest.fixture(scope="session")
def suite_facts() -> SuiteFacts:
    """Where everything is."""
    return SuiteFacts(**json.loads(Path(os.environ[FACTS_VARIABLE]).read_text()))


@pytest.fixture(scope="session")
def plan(suite_facts: SuiteFacts) -> Plan:
    """The plan of the run, with the parameters of the playbook that the suite belongs to."""
    return plan_from_text(Path(suite_facts.plan).read_bytes())


@pytest.fixture(scope="session")
def host(suite_facts: SuiteFacts, plan: Plan) -> HostLooker:
    """Return a testinfra host by the name of a host or member."""

    def look_at(target: str) -> Host:
        name = host_of(plan.environment, target).name
        return testinfra.get_host(
            f"ssh://{name}", ssh_config=suite_facts.ssh_config, controlpersist=0
        )

    return look_at


@pytest.fixture(scope="session")
def ask(suite_facts: SuiteFacts, plan: Plan) -> Iterator[Asker]:
    """Return the rows of a query on a member, asked with the account that only reads."""
    sessions = SqlSessions(plan.environment, SecretStore(Path(suite_facts.state)))

    def ask_once(
        member: str, query: str, *, database: str = "", **values: str
    ) -> Sequence[Mapping[str, object]]:
        login = Login(member=member, account="reader", database=database, is_read_only=True)
        answer = sessions.look(login, query, values, deadline=Deadline.after(ASK_LIMIT))
        if isinstance(answer, Trouble):
            pytest.fail(f"{member} gave no answer: {answer}")
        return answer.rows

    yield ask_once
    sessions.close()
