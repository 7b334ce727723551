"""The lab's out-of-band control as a program, with the interface of Debian's fence-agents."""

from __future__ import annotations

import shlex
from pathlib import Path

from orchestrator.lab import hosts
from orchestrator.lab.files import File, write_file
from orchestrator.lab.record import ROOT
from orchestrator.lab.topology import Blueprint

AGENT = "fence_lab"
_BODY = Path(__file__).with_name("fence_lab.sh")


def install_agent(blueprint: Blueprint, home: Path, password: str) -> None:
    """Put the agent below *home*, and its device's *password* where only the lab's owner reads it.

    The lab's own directory has to be there.
    """
    settings = {
        "KIND": blueprint.kind,
        "ROOT": str(ROOT),
        "CGROUPS": str(hosts.cgroup_tree() / hosts.CGROUP),
    }
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    text = f"#!/bin/sh\n{head}{_BODY.read_text(encoding='utf-8')}"
    write_file(ROOT / "fence.password", File(f"{password}\n", 0o600))
    write_file(home / AGENT, File(text, 0o700))
