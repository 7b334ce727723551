"""How the inventory says that a member is fenced."""

from __future__ import annotations

import shlex

import yaml

from tests.support.lab import REPOSITORY, Lab


def command_of(lab: Lab, name: str) -> str:
    """Return the inventory's command *name* for the members, as one word of a shell."""
    file = REPOSITORY / "environments" / lab.blueprint.environment / "inventory.yaml"
    inventory = yaml.safe_load(file.read_text(encoding="utf-8"))
    return shlex.join(inventory["all"]["children"]["databases"]["vars"][name])
