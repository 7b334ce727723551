"""Every form that a report can have."""

from __future__ import annotations

from orchestrator.adapters.reports.html_page import render_html
from orchestrator.adapters.reports.json_document import render_json
from orchestrator.adapters.reports.junit_xml import render_junit
from orchestrator.domain.report import Report

_RENDERERS = {"html": render_html, "json": render_json, "junit": render_junit}


def render(report: Report, form: str) -> str:
    """Return *report* as ``html``, ``json`` or ``junit``."""
    return _RENDERERS[form](report)
