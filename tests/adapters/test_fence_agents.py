"""Fence agents: what they are told, what nobody is told, and what they leave behind."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.fences.agent import AgentFencer
from orchestrator.adapters.fences.fencer import FenceState
from orchestrator.adapters.system import SecretStore
from orchestrator.domain.errors import ContentInvalid
from orchestrator.domain.run import Outcome
from tests.support.fence_agents import PASSWORD, FenceAgent, Manner, a_fence_agent
from tests.support.waiting import wait_until

INPUTS = {"program": "./fence_test", "options": {"plug": "db-a1"}}
WITH_PASSWORD = {**INPUTS, "password": {"file": "secret"}}


def soon() -> Deadline:
    return Deadline.after(timedelta(seconds=10))


@pytest.fixture
def agent(tmp_path: Path) -> FenceAgent:
    return a_fence_agent(tmp_path, "db-a1")


def write_password(folder: Path, password: str) -> None:
    (folder / "secret").write_text(password + "\n")
    (folder / "secret").chmod(0o600)


@pytest.fixture
def fencer(agent: FenceAgent) -> AgentFencer:
    write_password(agent.folder, PASSWORD)
    return AgentFencer(SecretStore(agent.folder))


def test_the_password_comes_on_standard_input_and_nothing_of_ours_with_it(
    fencer: AgentFencer, agent: FenceAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_TOKEN", "private")

    fencer.close("orders-db/db-a1", WITH_PASSWORD, deadline=soon())

    assert agent.calls == [f"off {PASSWORD} [] ['LC_ALL', 'PATH']"]


def test_a_password_that_the_agent_prints_is_not_told(
    fencer: AgentFencer, agent: FenceAgent
) -> None:
    write_password(agent.folder, "hunter2")

    report = fencer.close("orders-db/db-a1", WITH_PASSWORD, deadline=soon())

    assert report.outcome is Outcome.FAILED
    assert report.detail == "exit 1: Unable to connect/login to fencing device with ***"


def test_a_password_that_everybody_can_read_is_not_used(
    fencer: AgentFencer, agent: FenceAgent
) -> None:
    (agent.folder / "secret").chmod(0o644)

    report = fencer.close("orders-db/db-a1", WITH_PASSWORD, deadline=soon())
    sight = fencer.look("orders-db/db-a1", WITH_PASSWORD, deadline=soon())

    assert (report.outcome, sight.state) == (Outcome.FAILED, FenceState.UNKNOWN)
    assert "chmod 600" in sight.detail
    assert agent.calls == []


def test_an_agent_that_hangs_is_killed_with_its_children(
    fencer: AgentFencer, agent: FenceAgent
) -> None:
    agent.behave(Manner.HANGS)

    report = fencer.close("orders-db/db-a1", INPUTS, deadline=Deadline.after(timedelta(seconds=1)))

    assert (report.outcome, report.detail) == (Outcome.UNKNOWN, "no end in time")
    wait_until(lambda: not is_running(agent.child), "the agent's child is gone")


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("program", ["./fence_none", "fence_none", "./calls"])
def test_an_agent_that_there_is_not_is_told_by_its_name(fencer: AgentFencer, program: str) -> None:
    sight = fencer.look("orders-db/db-a1", {**INPUTS, "program": program}, deadline=soon())

    assert sight.state is FenceState.UNKNOWN
    assert f"there is no program {program}" in sight.detail


def test_a_bare_name_is_found_on_the_path_of_the_system(fencer: AgentFencer) -> None:
    report = fencer.close("orders-db/db-a1", {"program": "true"}, deadline=soon())

    assert report.outcome is Outcome.DONE


def test_an_option_cannot_smuggle_in_another_one(fencer: AgentFencer, agent: FenceAgent) -> None:
    inputs = {**INPUTS, "options": {"plug": "db-a1\naction=on"}}

    report = fencer.close("orders-db/db-a1", inputs, deadline=soon())

    assert "line break" in report.detail
    assert agent.calls == []


@pytest.mark.parametrize("option", ["action", "password"])
def test_what_we_say_ourselves_is_no_option(fencer: AgentFencer, option: str) -> None:
    inputs = {**INPUTS, "options": {option: "on"}}

    with pytest.raises(ContentInvalid, match=f"`{option}` is no option"):
        fencer.look("orders-db/db-a1", inputs, deadline=soon())
