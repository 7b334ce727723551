"""Host suites: pytest with testinfra in a process of its own, JUnit XML in, checks out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import orchestrator
from orchestrator.adapters import suite_fixtures
from orchestrator.adapters.frozen_files import FrozenPlaybooks
from orchestrator.adapters.plain_values import plan_to_text
from orchestrator.adapters.ssh_config import ssh_config
from orchestrator.adapters.suite_fixtures import FACTS_VARIABLE, SuiteFacts
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.trouble import first_line
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.plan import Plan
from orchestrator.domain.run import CheckDone
from orchestrator.domain.verdict import Verdict

SUITE_LIMIT = timedelta(minutes=2)
TESTS_RAN = (0, 1)
"""pytest's exit codes after which every test that was found has also run."""
VERDICTS: Mapping[str, Verdict] = {
    "failure": Verdict.FAILED,
    "error": Verdict.INCONCLUSIVE,
    "skipped": Verdict.INCONCLUSIVE,
}
"""What an element inside a test case of JUnit XML means; none is a pass."""


class PytestSuites:
    """Runs the suites of one run, from its frozen content."""

    def __init__(
        self, secrets: SecretStore, *, playbooks: FrozenPlaybooks, work_folder: Path
    ) -> None:
        self._secrets = secrets
        self._playbooks = playbooks
        self._work_folder = work_folder

    def run(self, suite: str, *, within: timedelta = SUITE_LIMIT) -> Sequence[CheckDone]:
        """Run one suite; each test is a check, and whatever did not run is inconclusive."""
        child = self._playbooks.plan.child_of(suite)
        try:
            file = self._playbooks.find(suite.removeprefix(f"{child}/"), of=suite)
        except TargetUnavailable as error:
            return [_inconclusive(suite, str(error))]
        self._work_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="suite-", dir=self._work_folder.resolve()))
        self._furnish(folder, self._playbooks.plan.as_seen_by(child))
        exit_code = _run(folder, file, within)
        return _read_checks(suite, folder, exit_code)

    def _furnish(self, folder: Path, plan: Plan) -> None:
        """Write everything that the suite is told."""
        environment = plan.environment
        facts = SuiteFacts(
            plan=str(folder / "plan.json"),
            state=str(self._secrets.folder),
            ssh_config=str(folder / "ssh_config"),
        )
        config = ssh_config(environment.hosts.values(), environment.ssh, self._secrets)
        (folder / "plan.json").write_bytes(plan_to_text(plan))
        (folder / "ssh_config").write_text(config)
        (folder / "facts.json").write_text(json.dumps(asdict(facts)))
        (folder / "pytest.ini").write_text("[pytest]\n")


def _run(folder: Path, file: Path, within: timedelta) -> int | None:
    """Return pytest's exit code; ``None`` if it was cut off."""
    # nice: what watches the users goes before on a machine with few cores. setpriv: a controller
    # that dies takes the suite along.
    argv = ["nice", "setpriv", "--pdeathsig", "TERM", sys.executable, "-P", "-m", "pytest"]
    argv += ["-c", str(folder / "pytest.ini"), "--rootdir", str(file.parent)]
    argv += ["--confcutdir", str(file.parent), "--import-mode", "importlib"]
    argv += ["-p", "no:cacheprovider", "-p", suite_fixtures.__name__]
    argv += ["--junitxml", str(folder / "junit.xml"), str(file)]
    with (folder / "log").open("wb") as log, suppress(subprocess.TimeoutExpired):
        return subprocess.run(
            argv,
            check=False,
            cwd=folder,
            env=_surroundings(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=within.total_seconds(),
        ).returncode
    return None


def _surroundings(folder: Path) -> Mapping[str, str]:
    """Return every variable that the suite sees; nothing of ours is passed on."""
    ours = Path(orchestrator.__file__).parents[1]
    return {
        "PATH": os.pathsep.join(["/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ours),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        FACTS_VARIABLE: str(folder / "facts.json"),
    }


def _read_checks(suite: str, folder: Path, exit_code: int | None) -> Sequence[CheckDone]:
    report = folder / "junit.xml"
    cases = ElementTree.parse(report).iter("testcase") if report.exists() else ()  # noqa: S314 - written by our own child
    checks = [_check(suite, case) for case in cases]
    if exit_code not in TESTS_RAN:
        ended = "was cut off" if exit_code is None else f"ended with code {exit_code}"
        last_words = (folder / "log").read_text(errors="replace").strip().splitlines()[-1:]
        checks.append(_inconclusive(suite, ": ".join((f"pytest {ended}", *last_words))))
    return checks or [_inconclusive(suite, "it has no tests")]


def _check(suite: str, case: ElementTree.Element) -> CheckDone:
    flaw = next((inner for inner in case if inner.tag in VERDICTS), None)
    return CheckDone(
        group="suite",
        name=f"{suite}::{case.get('name', '')}",
        verdict=Verdict.PASSED if flaw is None else VERDICTS[flaw.tag],
        detail="" if flaw is None else first_line(flaw.get("message", "")),
        duration_s=float(case.get("time", 0)),
    )


def _inconclusive(suite: str, detail: str) -> CheckDone:
    return CheckDone(group="suite", name=suite, verdict=Verdict.INCONCLUSIVE, detail=detail)
