"""For editors: ``python -m orchestrator.interfaces.schemas_cli DIR`` writes every JSON Schema."""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.adapters.content.schemas import write_schemas as write_content_schemas
from orchestrator.adapters.reports.schemas import write_schemas as write_report_schema
from orchestrator.bootstrap.contents import ACTION_INPUTS, PROBE_INPUTS


def write_all(folder: Path) -> None:
    """Write the schemas of content and report into *folder*."""
    write_content_schemas(folder, ACTION_INPUTS, PROBE_INPUTS)
    write_report_schema(folder)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
