"""The one place that names concrete adapters and puts them together."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from orchestrator.adapters.actions.ansible import AnsibleActor, AnsibleInputs
from orchestrator.adapters.actions.http import HttpActionInputs, HttpActor
from orchestrator.adapters.actions.manual import ManualActor, ManualInputs
from orchestrator.adapters.actions.sql import SqlActionInputs, SqlActor
from orchestrator.adapters.actions.ssh import SshActionInputs, SshActor
from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary_over_ssh import SshCanary
from orchestrator.adapters.content.content import Content
from orchestrator.adapters.content.linting_paths import lint_paths
from orchestrator.adapters.content.loading import load_content
from orchestrator.adapters.facts_postgresql import PostgresqlFacts
from orchestrator.adapters.http_exchange import HttpExchange
from orchestrator.adapters.inputs import parse
from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.adapters.plain_values import measurement_from, plan_to_text
from orchestrator.adapters.probes.canary import CanaryInputs, CanaryProber
from orchestrator.adapters.probes.http import HttpProbeInputs, HttpProber
from orchestrator.adapters.probes.looking import SideBySide
from orchestrator.adapters.probes.runs import RunsInputs, RunsProber
from orchestrator.adapters.probes.sql import SqlProber
from orchestrator.adapters.probes.sql_inputs import SqlProbeInputs
from orchestrator.adapters.probes.sql_write import SqlWriteProbeInputs, SqlWriteProber
from orchestrator.adapters.probes.ssh import SshProbeInputs, SshProber
from orchestrator.adapters.probes.tcp import TcpProbeInputs, TcpProber
from orchestrator.adapters.reports.html_page import render_html
from orchestrator.adapters.reports.json_document import render_json
from orchestrator.adapters.reports.junit_xml import render_junit
from orchestrator.adapters.run_folder import RunFolder
from orchestrator.adapters.sql_sessions import Login, SqlSessions
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.suites_pytest import PytestSuites
from orchestrator.adapters.system import SecretStore, SystemClock, fresh_run_id
from orchestrator.adapters.verifier import LiveVerifier
from orchestrator.domain.checklist import PersonName
from orchestrator.domain.plan import Facts, Mode, Plan
from orchestrator.domain.problem import Problem
from orchestrator.domain.run import DriverStarted, Entry, Measured, RunCreated, RunId
from orchestrator.engine.execution import drive
from orchestrator.engine.planning import Written, make_plan
from orchestrator.engine.ports import World
from orchestrator.engine.reporting import report_of
from orchestrator.engine.requesting import check_requester
from orchestrator.engine.scoping import services_of
from orchestrator.settings import Settings

CLOCK = SystemClock()

ACTION_INPUTS: Mapping[str, type] = {
    "ansible": AnsibleInputs,
    "http": HttpActionInputs,
    "manual": ManualInputs,
    "sql": SqlActionInputs,
    "ssh": SshActionInputs,
}
PROBE_INPUTS: Mapping[str, type] = {
    "canary": CanaryInputs,
    "http": HttpProbeInputs,
    "runs": RunsInputs,
    "sql": SqlProbeInputs,
    "sql_write": SqlWriteProbeInputs,
    "ssh": SshProbeInputs,
    "tcp": TcpProbeInputs,
}
REPORTS = {"html": render_html, "json": render_json, "junit": render_junit}

WARM_UP_LIMIT = timedelta(seconds=5)


def open_journal(settings: Settings) -> SqliteJournal:
    """Return the journal of all runs."""
    return SqliteJournal(settings.journal, CLOCK)


def folder_of(settings: Settings, run: RunId) -> RunFolder:
    """Return what lies beside the journal for one run."""
    return RunFolder(settings.state, run)


def load(settings: Settings) -> Content:
    """Load the content of the settings, with every problem of every file."""
    return load_content(settings.content, ACTION_INPUTS, PROBE_INPUTS)


def lint(paths: Sequence[Path]) -> tuple[Problem, ...]:
    """Return what is wrong with content folders, with parts of them, or with single files."""
    return lint_paths(paths, ACTION_INPUTS, PROBE_INPUTS)


def make_plan_now(
    settings: Settings, playbook: str, environment: str, given: Mapping[str, str]
) -> tuple[Plan, Mapping[str, bytes]]:
    """Look the facts up and return the plan, and the files it depends on.

    Raises:
        ContentInvalid: With every problem of these files.
        RequestRefused: If the parameters do not fit the environment as it is now.
    """
    content = load(settings)
    chosen, where = content.pick(playbook, environment)
    files = content.closure(playbook, environment)
    written = Written(
        playbook=chosen.value,
        checklists={name: loaded.value for name, loaded in content.checklists.items()},
        environment=where.value,
        closure={name: hashlib.sha256(text).hexdigest() for name, text in files.items()},
        locate=content.locator(playbook, environment),
    )
    sessions = SqlSessions(where.value, SecretStore(settings.state))
    finder = PostgresqlFacts(where.value, sessions)
    wanted = services_of(written.playbook, written.environment, given)
    facts = Facts(roles={service.name: finder.roles(service) for service in wanted})
    sessions.close()
    return make_plan(written, given, facts), files


def create_run(
    settings: Settings,
    plan: Plan,
    files: Mapping[str, bytes],
    *,
    requester: PersonName,
    reason: str,
) -> RunId:
    """Freeze *plan* as a new run: take its locks, then write its first entry.

    Raises:
        RequestRefused: If *requester* may not start it, or a resource is locked.
    """
    check_requester(plan.environment, requester)
    journal = open_journal(settings)
    run = fresh_run_id(CLOCK.now())
    journal.take(plan.resources, run=run, holder=requester)
    folder_of(settings, run).freeze(plan, files)
    created = RunCreated(
        playbook=plan.playbook,
        plan_digest=plan.digest,
        environment=plan.environment.environment,
        mode=Mode.LIVE,
        requester=requester,
        resources=plan.resources,
        reason=reason,
    )
    journal.append(run, after=0, events=[created])
    return run


def spawn_driver(settings: Settings, run: RunId) -> None:
    """Start a process of its own that drives *run*, and wait until it holds the run."""
    folder = folder_of(settings, run)
    argv = [sys.executable, "-P", "-m", "orchestrator", "--state", str(settings.state)]
    with folder.driver_log.open("a") as log:
        driver = subprocess.Popen(
            [*argv, "--content", str(folder.content), "drive", run],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while not folder.has_driver() and driver.poll() is None:
        CLOCK.pause(timedelta(milliseconds=20))


def drive_run(settings: Settings, plan: Plan, run: RunId) -> None:
    """Drive *run* in this process to its end, or to a hold."""
    started = DriverStarted(pid=os.getpid(), boot=_boot_id())
    with _world(settings, plan, run) as world:
        drive(plan, run, world, started)


def render_report(plan: Plan, entries: Sequence[Entry], folder: RunFolder, form: str) -> str:
    """Tell a run as ``html``, ``json`` or ``junit``, from its journal and its samples."""
    measured = [e.event.measurement for e in entries if isinstance(e.event, Measured)]
    measurement = measurement_from(measured[-1]) if measured else None
    lines = folder.samples.read_bytes().splitlines() if folder.samples.exists() else []
    report = report_of(plan, entries, measurement=measurement, samples=read_samples(lines))
    return REPORTS[form](report)


def plan_as_json(plan: Plan) -> str:
    """Return *plan* in the form that its digest is taken of."""
    return plan_to_text(plan).decode()


@contextmanager
def _world(settings: Settings, plan: Plan, run: RunId) -> Iterator[World]:
    environment = plan.environment
    journal, folder = open_journal(settings), folder_of(settings, run)
    secrets = SecretStore(settings.state)
    ssh, sql = SshSessions(environment, secrets), SqlSessions(environment, secrets)
    web = HttpExchange()
    content = folder.content / "playbooks" / plan.playbook
    canary = SshCanary(run, environment, ssh, secrets, CLOCK, folder.samples)
    looker = SideBySide(
        {
            "canary": CanaryProber(canary, CLOCK),
            "http": HttpProber(web, CLOCK),
            "runs": RunsProber(journal, CLOCK, run),
            "sql": SqlProber(sql, CLOCK),
            "sql_write": SqlWriteProber(environment, sql, ssh, CLOCK),
            "ssh": SshProber(ssh, CLOCK),
            "tcp": TcpProber(environment, CLOCK),
        },
        CLOCK,
    )
    _warm_up(plan, ssh, sql)
    try:
        yield World(
            journal=journal,
            locks=journal,
            clock=CLOCK,
            looker=looker,
            actors={
                "ansible": AnsibleActor(
                    environment,
                    secrets,
                    playbook_folder=content,
                    work_folder=folder.path / "ansible",
                ),
                "http": HttpActor(web),
                "manual": ManualActor(journal, CLOCK),
                "sql": SqlActor(sql),
                "ssh": SshActor(ssh),
            },
            canary=canary,
            verifier=LiveVerifier(
                run,
                environment,
                canary,
                PytestSuites(
                    plan, secrets, playbook_folder=content, work_folder=folder.path / "suites"
                ),
                PostgresqlFacts(environment, sql),
                sql,
            ),
            archive=folder,
        )
    finally:
        looker.close()
        web.close()
        sql.close()
        ssh.close()


def _warm_up(plan: Plan, ssh: SshSessions, sql: SqlSessions) -> None:
    """Open what the steps will need, so that none of them has to wait for it."""
    ssh.warm(plan.environment.hosts, within=WARM_UP_LIMIT)
    sql.warm(_logins_of(plan), within=WARM_UP_LIMIT)


def _logins_of(plan: Plan) -> Iterator[Login]:
    for step in plan.actions:
        if step.action.kind == "sql":
            yield from parse(SqlActionInputs, step.action.inputs).logins


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
