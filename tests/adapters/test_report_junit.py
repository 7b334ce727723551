from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest

from orchestrator.adapters.reports.junit_xml import render_junit
from tests.support.switchovers import STORIES


def suites_of(name: str) -> dict[str, Element]:
    root = fromstring(render_junit(STORIES[name]().report()))  # noqa: S314 - our own output
    return {str(suite.get("name")): suite for suite in root}


def case_of(name: str, suite: str, case: str) -> Element:
    found = suites_of(name)[suite].find(f"testcase[@name='{case}']")
    assert found is not None
    return found


@pytest.mark.parametrize("name", sorted(STORIES))
def test_counts_are_those_of_the_cases(name: str) -> None:
    suites = suites_of(name)

    assert list(suites) == ["gates", "steps", "verification"]
    for suite in suites.values():
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("errors", "")) == len(suite.findall("testcase/error"))
        assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))


def test_verified_run_is_green() -> None:
    for suite in suites_of("verified").values():
        assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
        assert suite.get("skipped") == "0"


@pytest.mark.parametrize(
    ("name", "suite", "case", "element"),
    [
        pytest.param("rolled-back", "steps", "stop-old-primary", "failure", id="failed step"),
        pytest.param("held", "steps", "repoint-pooler", "error", id="step of unknown outcome"),
        pytest.param("held", "steps", "let-clients-go", "skipped", id="step not reached"),
        pytest.param("refused", "gates", "replay-runs", "failure", id="failed item"),
        pytest.param("refused", "gates", "old-primary-down", "skipped", id="gate not reached"),
        pytest.param("waiting", "verification", "verdict", "error", id="run not over"),
        pytest.param("refused", "verification", "verdict", "failure", id="run refused"),
        pytest.param("hostile", "steps", "checkpoint-primary", "error", id="step at work"),
    ],
)
def test_what_did_not_pass_is_not_green(name: str, suite: str, case: str, element: str) -> None:
    assert case_of(name, suite, case).find(element) is not None


def test_waived_item_passes_and_says_so() -> None:
    told = case_of("verified-with-a-waiver", "gates", "backup-recent").findtext("system-out")

    assert told is not None
    assert told.startswith("degraded: waived by lin")


def test_hostile_text_is_escaped() -> None:
    told = case_of("hostile", "gates", "same-system").findtext("failure")

    assert told is not None
    assert "[U+001B][31mred" in told
    assert "<script>alert(1)</script>" in told
