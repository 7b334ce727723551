"""The report as JSON for machines, and the schema that it keeps to."""

from __future__ import annotations

import json
import re
from functools import cache

from pydantic import TypeAdapter

from orchestrator.adapters.reports.words import is_steering
from orchestrator.domain.report import Report

_BEYOND_ASCII = re.compile(r"[^\x00-\x7e]")


def render_json(report: Report) -> str:
    """Return *report* as JSON; times are ISO 8601 in UTC, numbers that are not known null.

    Texts are complete and as they were. Signs that would steer a terminal are escaped as JSON
    allows, so that the file can be printed.
    """
    text = _adapter().dump_json(report, indent=2).decode()
    return _BEYOND_ASCII.sub(lambda match: _escaped(match[0]), text) + "\n"


def report_schema() -> str:
    """Return the JSON Schema of what `render_json` writes."""
    schema = _adapter().json_schema(mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"


@cache
def _adapter() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if is_steering(character) else character
