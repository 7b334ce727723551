"""The process that drives a run, with every adapter that its steps and looks need."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from orchestrator.adapters.actions.ansible import AnsibleActor
from orchestrator.adapters.actions.fence import FenceActor
from orchestrator.adapters.actions.http import HttpActor
from orchestrator.adapters.actions.manual import ManualActor
from orchestrator.adapters.actions.sql import SqlActionInputs, SqlActor
from orchestrator.adapters.actions.ssh import SshActor
from orchestrator.adapters.canary_over_ssh import SshCanary
from orchestrator.adapters.content.content import PLAYBOOKS
from orchestrator.adapters.diagnosing.examining import Examiner
from orchestrator.adapters.facts_postgresql import PostgresqlFacts
from orchestrator.adapters.fences.agent import AgentFencer
from orchestrator.adapters.fences.fencer import Fencer
from orchestrator.adapters.fences.members import MemberFences
from orchestrator.adapters.fences.ssh import SshFencer
from orchestrator.adapters.frozen_files import FrozenPlaybooks
from orchestrator.adapters.http_exchange import HttpExchange
from orchestrator.adapters.inputs import parse
from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.adapters.probes.canary import CanaryProber
from orchestrator.adapters.probes.diagnosis import DiagnosisProber
from orchestrator.adapters.probes.fence import FenceProber
from orchestrator.adapters.probes.http import HttpProber
from orchestrator.adapters.probes.looking import SideBySide
from orchestrator.adapters.probes.loss import LossProber
from orchestrator.adapters.probes.runs import RunsProber
from orchestrator.adapters.probes.sql import SqlProber
from orchestrator.adapters.probes.sql_write import SqlWriteProber
from orchestrator.adapters.probes.ssh import SshProber
from orchestrator.adapters.probes.tcp import TcpProber
from orchestrator.adapters.run_folder import RunFolder
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.sql_statements import Login
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.suites_pytest import PytestSuites
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.verifier import LiveVerifier
from orchestrator.bootstrap.runs import CLOCK, folder_of, open_journal
from orchestrator.domain.plan import Plan
from orchestrator.domain.run import DriverStarted, RunId
from orchestrator.engine.execution import drive
from orchestrator.engine.ports import Actor, Prober, World
from orchestrator.settings import Settings

WARM_UP_LIMIT = timedelta(seconds=2)


def drive_run(settings: Settings, plan: Plan, run: RunId) -> None:
    """Drive *run* in this process to its end, or to a hold."""
    started = DriverStarted(pid=os.getpid(), boot=_boot_id())
    with _world(settings, plan, run) as world:
        drive(plan, run, world, started)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reach:
    """Everything that reaches out of this process, for one run."""

    run: RunId
    plan: Plan
    folder: RunFolder
    secrets: SecretStore
    journal: SqliteJournal
    ssh: SshSessions
    sql: SqlSessions
    web: HttpExchange
    canary: SshCanary
    fences: MemberFences

    @property
    def playbooks(self) -> FrozenPlaybooks:
        """The frozen copies of the playbook and of those that it includes."""
        return FrozenPlaybooks(plan=self.plan, root=self.folder.content / PLAYBOOKS)

    def close(self) -> None:
        self.fences.shut_down()
        self.web.close()
        self.sql.close()
        self.ssh.close()


@contextmanager
def _world(settings: Settings, plan: Plan, run: RunId) -> Iterator[World]:
    reach = _reach(settings, plan, run)
    looker = SideBySide(_probers(reach), CLOCK)
    _warm_up(reach)
    try:
        yield World(
            journal=reach.journal,
            locks=reach.journal,
            clock=CLOCK,
            looker=looker,
            actors=_actors(reach),
            canary=reach.canary,
            verifier=_verifier(reach),
            archive=reach.folder,
        )
    finally:
        looker.close()
        reach.close()


def _reach(settings: Settings, plan: Plan, run: RunId) -> _Reach:
    environment, secrets = plan.environment, SecretStore(settings.state)
    folder, ssh = folder_of(settings, run), SshSessions(environment, secrets)
    return _Reach(
        run=run,
        plan=plan,
        folder=folder,
        secrets=secrets,
        journal=open_journal(settings),
        ssh=ssh,
        sql=SqlSessions(environment, secrets),
        web=HttpExchange(),
        canary=SshCanary(run, environment, ssh, secrets, CLOCK, folder.samples),
        fences=_fences(plan, ssh, secrets),
    )


def _fences(plan: Plan, ssh: SshSessions, secrets: SecretStore) -> MemberFences:
    fencers: Mapping[str, Fencer] = {"agent": AgentFencer(secrets), "ssh": SshFencer(ssh)}
    return MemberFences(plan.fences, fencers, CLOCK)


def _probers(reach: _Reach) -> Mapping[str, Prober]:
    environment = reach.plan.environment
    return {
        "canary": CanaryProber(reach.canary, CLOCK),
        "diagnosis": DiagnosisProber(Examiner(environment, reach.sql, reach.ssh), CLOCK),
        "fence": FenceProber(reach.fences, CLOCK),
        "http": HttpProber(reach.web, CLOCK),
        "loss": LossProber(reach.canary, environment.watch.table, reach.sql, CLOCK),
        "runs": RunsProber(reach.journal, CLOCK, reach.run),
        "sql": SqlProber(reach.sql, CLOCK),
        "sql_write": SqlWriteProber(environment, reach.sql, reach.ssh, reach.fences, CLOCK),
        "ssh": SshProber(reach.ssh, CLOCK),
        "tcp": TcpProber(environment, CLOCK),
    }


def _actors(reach: _Reach) -> Mapping[str, Actor]:
    ansible = AnsibleActor(
        reach.plan.environment,
        reach.secrets,
        playbooks=reach.playbooks,
        work_folder=reach.folder.path / "ansible",
    )
    return {
        "ansible": ansible,
        "fence": FenceActor(reach.fences),
        "http": HttpActor(reach.web),
        "manual": ManualActor(reach.journal, CLOCK),
        "sql": SqlActor(reach.sql),
        "ssh": SshActor(reach.ssh),
    }


def _verifier(reach: _Reach) -> LiveVerifier:
    environment = reach.plan.environment
    suites = PytestSuites(
        reach.secrets, playbooks=reach.playbooks, work_folder=reach.folder.path / "suites"
    )
    finder = PostgresqlFacts(environment, reach.sql)
    return LiveVerifier(reach.run, environment, reach.canary, suites, finder, reach.sql)


def _warm_up(reach: _Reach) -> None:
    """Open what the steps will need, so that none of them has to wait for it."""
    hosts, logins = reach.plan.environment.hosts, tuple(_logins_of(reach.plan))
    with ThreadPoolExecutor(max_workers=2) as side_by_side:
        done = (
            side_by_side.submit(reach.ssh.warm, hosts, within=WARM_UP_LIMIT),
            side_by_side.submit(reach.sql.warm, logins, within=WARM_UP_LIMIT),
        )
    for warmed in done:
        warmed.result()


def _logins_of(plan: Plan) -> Iterator[Login]:
    for step in plan.actions:
        if step.action.kind == "sql":
            yield from parse(SqlActionInputs, step.action.inputs).logins


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
