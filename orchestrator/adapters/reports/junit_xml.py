"""The report as JUnit XML, for CI systems: one suite each for gates, steps and verification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from orchestrator.adapters.reports.words import visible
from orchestrator.domain.record import GateProgress, Progress
from orchestrator.domain.report import Report
from orchestrator.domain.verdict import Verdict

_STEP_VERDICTS = {
    Progress.DONE: Verdict.PASSED,
    Progress.FAILED: Verdict.FAILED,
    Progress.UNKNOWN: Verdict.INCONCLUSIVE,
    Progress.RUNNING: Verdict.INCONCLUSIVE,
}
_ELEMENTS = {Verdict.FAILED: "failure", Verdict.INCONCLUSIVE: "error"}


@dataclass(frozen=True, slots=True)
class _Case:
    """One test case; without a verdict it was skipped."""

    group: str
    name: str
    verdict: Verdict | None
    detail: str
    seconds: float = 0.0


def render_junit(report: Report) -> str:
    """Return *report* as JUnit XML: failed is a failure, inconclusive an error.

    The run's own verdict is a case too, so that no run looks green that has not passed.
    """
    root = Element("testsuites", name=visible(f"{report.playbook} {report.run}"))
    suites = {
        "gates": tuple(_gate_cases(report)),
        "steps": tuple(_step_cases(report)),
        "verification": tuple(_verification_cases(report)),
    }
    for name, cases in suites.items():
        _add_suite(root, name, cases, report)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _gate_cases(report: Report) -> Iterator[_Case]:
    for gate in report.gates:
        is_reached = gate.progress is not GateProgress.PENDING
        for item in gate.items:
            yield _Case(gate.gate, item.item, item.verdict if is_reached else None, item.answer)


def _step_cases(report: Report) -> Iterator[_Case]:
    for step in report.steps:
        detail = step.evidence.summary if step.evidence else step.outcome
        verdict = _STEP_VERDICTS.get(step.outcome)
        yield _Case(report.playbook, step.name, verdict, detail, step.duration_s or 0.0)


def _verification_cases(report: Report) -> Iterator[_Case]:
    yield _Case("run", "verdict", report.verdict, f"{report.headline}: {report.summary}")
    for check in report.verification.checks:
        yield _Case(check.group, check.name, check.verdict, check.detail, check.duration_s)
    for record in report.invariants:
        verdict = record.verdict if record.looks else None
        detail = "; ".join(record.exceptions) or f"{record.looks} looks"
        yield _Case("invariant around steps", record.invariant, verdict, detail)


def _add_suite(root: Element, name: str, cases: tuple[_Case, ...], report: Report) -> None:
    suite = SubElement(
        root,
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=str(sum(case.verdict is Verdict.FAILED for case in cases)),
        errors=str(sum(case.verdict is Verdict.INCONCLUSIVE for case in cases)),
        skipped=str(sum(case.verdict is None for case in cases)),
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    if report.times.created:
        suite.set("timestamp", report.times.created.isoformat())
    for case in cases:
        _add_case(suite, case)


def _add_case(suite: Element, case: _Case) -> None:
    element = SubElement(
        suite,
        "testcase",
        classname=visible(case.group),
        name=visible(case.name),
        time=f"{case.seconds:.3f}",
    )
    detail = visible(case.detail)
    if case.verdict is None:
        SubElement(element, "skipped", message="not reached")
    elif case.verdict in _ELEMENTS:
        SubElement(element, _ELEMENTS[case.verdict], message=detail[:200]).text = detail
    else:
        SubElement(element, "system-out").text = f"{case.verdict}: {detail}"
