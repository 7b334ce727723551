"""A fence agent that follows the standard interface, and ways in which real ones misbehave."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import cycle
from pathlib import Path

from orchestrator.adapters.fences.agent import AgentFencer
from orchestrator.adapters.fences.members import MemberFences
from orchestrator.adapters.system import SecretStore, SystemClock
from orchestrator.domain.environment import Fence, FenceLayer, FenceName

PASSWORD = "correct horse"

PROGRAM = """#!{python}
import os, pathlib, sys, time
here = pathlib.Path(__file__).parent
options = dict(line.split("=", 1) for line in sys.stdin.read().splitlines())
action, plug = options["action"], here / options["plug"]
manner = (here / "manner").read_text()
with (here / "calls").open("a") as calls:
    print(action, options.get("password", "-"), sys.argv[1:], sorted(os.environ), file=calls)
if options.get("password", {password!r}) != {password!r}:
    sys.exit(f"Unable to connect/login to fencing device with {{options['password']}}")
if manner == "hangs" or manner == "hangs at off" and action == "off":
    if os.fork() == 0:
        (here / "child").write_text(str(os.getpid()))
        time.sleep(600)
    time.sleep(600)
if manner == "fails":
    sys.exit("Failed: Timed out waiting to power OFF")
if action == "status":
    sys.exit(0 if plug.read_text() == "on" else 2)
if manner != "lies":
    plug.write_text(action)
"""


class Manner(StrEnum):
    """How the agent behaves."""

    WORKS = "works"
    LIES = "lies"
    FAILS = "fails"
    HANGS = "hangs"
    HANGS_AT_OFF = "hangs at off"


@dataclass(frozen=True, slots=True)
class FenceAgent:
    """The program ``fence_test`` in *folder*, and the plugs that it switches."""

    folder: Path

    @property
    def program(self) -> Path:
        return self.folder / "fence_test"

    @property
    def calls(self) -> list[str]:
        """What it was called with, oldest first."""
        return (self.folder / "calls").read_text().splitlines()

    @property
    def child(self) -> int:
        """The process that it started and left behind."""
        return int((self.folder / "child").read_text())

    def behave(self, manner: Manner) -> None:
        (self.folder / "manner").write_text(manner)

    def plug(self, name: str) -> str:
        return (self.folder / name).read_text()

    def turn(self, name: str, state: str) -> None:
        (self.folder / name).write_text(state)


def a_fence_agent(folder: Path, *plugs: str) -> FenceAgent:
    """Install an agent that works, with *plugs* that are on."""
    folder.mkdir(exist_ok=True)
    agent = FenceAgent(folder)
    agent.program.write_text(PROGRAM.format(python=sys.executable, password=PASSWORD))
    agent.program.chmod(0o755)
    agent.behave(Manner.WORKS)
    (folder / "calls").touch()
    for plug in plugs:
        agent.turn(plug, "on")
    return agent


NO_FENCES = MemberFences({}, {}, SystemClock())
"""Of an environment that has none."""


def agent_fences(member: str, state_dir: Path, *names: str, within: timedelta) -> MemberFences:
    """Return fences of *member*: each an agent in a folder of its own, below *state_dir*.

    The layers go from the inside out.
    """
    fences = [
        Fence(
            fence=FenceName(name),
            layer=layer,
            within=within,
            kind="agent",
            inputs={"program": f"{name}/fence_test", "options": {"plug": "db-a1"}},
        )
        for name, layer in zip(names, cycle(FenceLayer), strict=False)
    ]
    fencers = {"agent": AgentFencer(SecretStore(state_dir))}
    return MemberFences({member: fences}, fencers, SystemClock())
