"""Host suites in a real child process: what each ending means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.frozen_files import FrozenPlaybooks
from orchestrator.adapters.suites_pytest import PytestSuites
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.run import CheckDone
from orchestrator.domain.verdict import Verdict
from tests.support.builders import a_plan_with_a_child
from tests.support.environments import a_database, a_host, an_environment
from tests.support.real_postgresql import RealPostgresql
from tests.support.real_sshd import RealSshd


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "database-switchover").mkdir()
    return tmp_path


@pytest.fixture
def suites(
    sshd: RealSshd, postgresql: RealPostgresql, folder: Path, closed_port: int
) -> PytestSuites:
    environment = an_environment(
        hosts=[
            sshd.host("db-a1", postgresql_port=postgresql.port),
            a_host("db-down", ansible_port=closed_port, postgresql_port=closed_port),
        ],
        services=[a_database("db-a1", "db-down")],
        ssh=sshd.ssh,
    )
    plan = replace(
        a_plan_with_a_child(),
        environment=environment,
        parameters={"target": "orders-db/db-a1"},
    )
    return PytestSuites(
        SecretStore(sshd.folder),
        playbooks=FrozenPlaybooks(plan=plan, root=folder),
        work_folder=folder / "work",
    )


def run(suites: PytestSuites, folder: Path, text: str) -> list[CheckDone]:
    (folder / "database-switchover" / "test_it.py").write_text(text)
    return list(suites.run("test_it.py", within=timedelta(seconds=30)))


LOOKS = """
def test_command(host, plan):
    assert host(plan.parameters["target"]).check_output("echo %s", "it's me") == "it's me"

def test_file(host):
    assert host("db-a1").file("/etc/hostname").exists

def test_query(ask):
    assert ask("orders-db/db-a1", "select %(word)s as said", word="hi")[0]["said"] == "hi"
"""


def test_a_suite_looks_at_hosts_and_members(suites: PytestSuites, folder: Path) -> None:
    checks = run(suites, folder, LOOKS)

    assert [(check.name, check.verdict) for check in checks] == [
        ("test_it.py::test_command", Verdict.PASSED),
        ("test_it.py::test_file", Verdict.PASSED),
        ("test_it.py::test_query", Verdict.PASSED),
    ]


def test_a_suite_of_an_included_playbook_gets_that_one_s_parameters(
    suites: PytestSuites, folder: Path
) -> None:
    (folder / "database-reprotect").mkdir()
    (folder / "database-reprotect" / "test_it.py").write_text(
        "def test_x(plan):\n    assert plan.parameters == {'member': 'orders-db/db-a1'}\n"
    )

    checks = suites.run("database-reprotect/test_it.py")

    assert [(check.name, check.verdict) for check in checks] == [
        ("database-reprotect/test_it.py::test_x", Verdict.PASSED)
    ]


@pytest.mark.parametrize(
    ("text", "verdict", "detail"),
    [
        pytest.param("def test_x():\n    assert 1 == 2\n", Verdict.FAILED, "1 == 2", id="failure"),
        pytest.param(
            "def test_x(no_such_fixture):\n    pass\n",
            Verdict.INCONCLUSIVE,
            "failed on setup",
            id="error",
        ),
        pytest.param("", Verdict.INCONCLUSIVE, "code 5", id="no tests"),
        pytest.param("this is no Python", Verdict.INCONCLUSIVE, "", id="no Python"),
        pytest.param(
            "import pytest\ndef test_x():\n    pytest.skip('not today')\n",
            Verdict.INCONCLUSIVE,
            "not today",
            id="skipped",
        ),
        pytest.param(
            "import os\ndef test_x():\n    os._exit(0)\n",
            Verdict.INCONCLUSIVE,
            "no tests",
            id="the process went away, saying that all is well",
        ),
        pytest.param(
            "def test_x(ask):\n    ask('orders-db/db-down', 'select 1')\n",
            Verdict.FAILED,
            "refused",
            id="a member that does not answer",
        ),
        pytest.param(
            "def test_x(host):\n    host('db-down').check_output('true')\n",
            Verdict.FAILED,
            "Connection refused",
            id="a host that does not answer",
        ),
    ],
)
def test_only_tests_that_ran_can_pass(
    suites: PytestSuites, folder: Path, text: str, verdict: Verdict, detail: str
) -> None:
    checks = run(suites, folder, text)

    assert Verdict.worst_of(check.verdict for check in checks) is verdict
    assert any(detail in check.detail for check in checks)


def test_a_suite_that_does_not_end_is_inconclusive(suites: PytestSuites, folder: Path) -> None:
    (folder / "database-switchover" / "test_it.py").write_text(
        "import threading\ndef test_x():\n    threading.Event().wait(60)\n"
    )

    checks = suites.run("test_it.py", within=timedelta(seconds=3))

    assert [check.verdict for check in checks] == [Verdict.INCONCLUSIVE]
    assert "pytest was cut off" in checks[0].detail


def test_a_suite_from_elsewhere_is_not_run(suites: PytestSuites, folder: Path) -> None:
    (folder / "outside.py").write_text("def test_x():\n    pass\n")

    checks = suites.run("../outside.py")

    assert [check.verdict for check in checks] == [Verdict.INCONCLUSIVE]


def test_what_lies_about_is_not_loaded(
    suites: PytestSuites, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = folder / "planted"
    code = f"open({str(planted)!r}, 'w').close()\n"
    (folder / "conftest.py").write_text(code)
    (folder / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PYTEST_PLUGINS", "sitecustomize")
    monkeypatch.chdir(folder)

    checks = run(suites, folder, "def test_x():\n    pass\n")

    assert [check.verdict for check in checks] == [Verdict.PASSED]
    assert not planted.exists()
