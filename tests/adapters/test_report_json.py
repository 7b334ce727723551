from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from orchestrator.adapters.reports.json_document import render_json, report_schema
from orchestrator.adapters.reports.schemas import FILE_NAME, write_schemas
from orchestrator.engine.reporting import report_of
from tests.support.builders import a_plan
from tests.support.stories import HOSTILE
from tests.support.switchovers import STORIES, aborted, hostile, verified

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"
FIRST_KEYS = {
    "run",
    "playbook",
    "plan_digest",
    "environment",
    "mode",
    "verdict",
    "objectives",
    "downtime",
    "writes",
    "steps",
    "gates",
    "verification",
    "deviations",
}


def test_published_schema_is_the_one_of_the_code(tmp_path: Path) -> None:
    write_schemas(tmp_path)

    written = (tmp_path / FILE_NAME).read_text()

    assert (PUBLISHED / FILE_NAME).read_text() == written, "run `make schemas`"


@pytest.mark.parametrize("name", sorted(STORIES))
def test_report_keeps_to_its_schema(name: str) -> None:
    schema = json.loads(report_schema())
    Draft202012Validator.check_schema(schema)

    document = json.loads(render_json(STORIES[name]().report()))

    Draft202012Validator(schema, format_checker=FormatChecker()).validate(document)
    assert set(document) >= FIRST_KEYS


def test_report_without_its_verdict_breaks_the_schema() -> None:
    document = json.loads(render_json(verified().report()))
    del document["verdict"]

    assert not Draft202012Validator(json.loads(report_schema())).is_valid(document)


def test_numbers_and_times_carry_their_units() -> None:
    document = json.loads(render_json(verified().report()))

    assert set(document["downtime"]) >= {"at_least_s", "at_most_s", "longest_gap_ms"}
    assert set(document["writes"]) >= {"acknowledged", "lost", "unknown", "duplicate"}
    assert document["times"]["created"] == "2026-01-02T12:00:00Z"


def test_unknown_numbers_are_null() -> None:
    document = json.loads(render_json(aborted().report()))

    assert document["downtime"]["at_least_s"] is None
    assert document["writes"]["lost"] is None


def test_hostile_text_survives_unchanged_and_cannot_steer_a_terminal() -> None:
    text = render_json(hostile().report())

    document = json.loads(text)
    assert document["title"] == f"主库切换演练 {HOSTILE}"
    assert "主库切换演练" in text
    assert not set(text) & set("\x00\x1b\u202e\u202c")


def test_report_of_nothing_is_still_json() -> None:
    assert json.loads(render_json(report_of(a_plan(), ())))["mode"] is None
