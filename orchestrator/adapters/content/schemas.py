"""JSON Schemas for editors, made of the same forms that the files are checked by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from orchestrator.adapters.content.file_forms import (
    EnvironmentFile,
    FileForms,
    InvariantsFile,
    PeopleFile,
)
from orchestrator.domain.checklist import Checklist
from orchestrator.domain.environment import Policy
from orchestrator.domain.journey import Journey
from orchestrator.domain.playbook import Playbook

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS: Mapping[str, type] = {
    "playbook": Playbook,
    "checklist": Checklist,
    "environment": EnvironmentFile,
    "people": PeopleFile,
    "policy": Policy,
    "invariants": InvariantsFile,
    "journey": Journey,
}


def make_schemas(
    action_inputs: Mapping[str, type], probe_inputs: Mapping[str, type]
) -> Mapping[str, str]:
    """Return the text of each schema file, by its name."""
    forms = FileForms(action_inputs, probe_inputs)
    return {
        f"{name}.schema.json": _text({"$schema": DIALECT, **forms.of(cls).schema})
        for name, cls in SCHEMAS.items()
    }


def write_schemas(
    folder: Path, action_inputs: Mapping[str, type], probe_inputs: Mapping[str, type]
) -> None:
    """Write each schema into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in make_schemas(action_inputs, probe_inputs).items():
        (folder / name).write_text(text)


def _text(schema: Mapping[str, object]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
