"""Writes the report's schema: ``python -m orchestrator.adapters.reports.schemas FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.adapters.reports.json_document import report_schema

FILE_NAME = "report.schema.json"


def write_schemas(folder: Path) -> None:
    """Write the schema into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_text(report_schema(), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
