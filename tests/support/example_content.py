"""A small content root that is in order, to be spoiled in one place by each test."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestrator.adapters.content.content import Content
from orchestrator.adapters.content.loading import load_content
from tests.support.kinds import ACTION_INPUTS, PROBE_INPUTS

FOLDER = Path(__file__).parent / "content_root"
PLAYBOOK = "playbooks/ledger-move/playbook.yaml"
PREFLIGHT = "checklists/ledger-preflight.yaml"
LAST_LOOK = "checklists/ledger-last-look.yaml"
OFFICE = "environments/office/environment.yaml"
INVENTORY = "environments/office/inventory.yaml"
PEOPLE = "environments/office/people.yaml"
POLICY = "environments/office/policy.yaml"
INVARIANTS = "environments/office/invariants.yaml"
JOURNEY = "environments/office/journeys/post-an-entry.yaml"
ANNEX = "environments/annex/environment.yaml"
ANNEX_INVENTORY = "environments/annex/inventory.yaml"


def a_content_root(tmp_path: Path) -> Path:
    """Return a copy of the example that a test may change."""
    root = tmp_path / "content"
    shutil.copytree(FOLDER, root)
    return root


def spoil(root: Path, file: str, old: str, new: str) -> None:
    """Replace *old*, which must be there once, by *new*."""
    text = (root / file).read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    (root / file).write_text(text.replace(old, new))


def load(root: Path) -> Content:
    return load_content(root, ACTION_INPUTS, PROBE_INPUTS)
