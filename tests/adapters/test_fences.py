"""Fences of members: tried in order until one is seen to be closed, and never believed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.actions.fence import FenceActor
from orchestrator.adapters.probes.fence import FenceProber
from orchestrator.adapters.system import SystemClock
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.run import Outcome
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.ports import ActionReport
from tests.support.actions import AN_ATTEMPT, SOON, a_probe, an_action
from tests.support.fence_agents import FenceAgent, Manner, a_fence_agent, agent_fences

MEMBER = "orders-db/db-a1"
NAMES = ("service", "port", "power")
WITHIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Yard:
    """A member with three fences, each an agent of its own, and what operates them."""

    agents: Mapping[str, FenceAgent]
    actor: FenceActor
    prober: FenceProber

    def close(self, **inputs: object) -> ActionReport:
        return self.actor.perform(an_action("fence", on=MEMBER, **inputs), AN_ATTEMPT, within=SOON)

    def look(self, expect: str, **inputs: object) -> Evidence:
        probe = a_probe("fence", on=MEMBER, expect=expect, **inputs)
        return self.prober.look(probe, within=SOON)

    def calls(self, fence: str) -> list[str]:
        return [call.split()[0] for call in self.agents[fence].calls]


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    agents = {name: a_fence_agent(tmp_path / name, "db-a1") for name in NAMES}
    fences = agent_fences(MEMBER, tmp_path, *NAMES, within=WITHIN)
    yield Yard(agents, FenceActor(fences), FenceProber(fences, SystemClock()))
    fences.shut_down()


def test_the_first_fence_that_holds_is_enough(yard: Yard) -> None:
    report = yard.close()

    assert report.outcome is Outcome.DONE
    assert report.detail.startswith("service closed (exit 0; off; ")
    assert yard.calls("service") == ["status", "off", "status"]
    assert yard.calls("port") == yard.calls("power") == []


def test_a_fence_that_is_closed_already_counts_without_being_touched(yard: Yard) -> None:
    yard.agents["service"].turn("db-a1", "off")

    report = yard.close()

    assert report.detail.startswith("service closed (as it was; off; ")
    assert yard.calls("service") == ["status"]


@pytest.mark.parametrize(
    ("manner", "told"),
    [
        (Manner.FAILS, "service unknown (exit 1: Failed: Timed out waiting to power OFF"),
        (Manner.LIES, "service open (exit 0; on; 1."),
        (Manner.HANGS, "service unknown (as it was; no end in time; 1."),
        (Manner.HANGS_AT_OFF, "service unknown (no end in time; no time left to look; 1."),
    ],
)
def test_a_fence_that_does_not_hold_costs_its_own_time_and_then_the_next_one_is_tried(
    yard: Yard, manner: Manner, told: str
) -> None:
    yard.agents["service"].behave(manner)
    began = time.monotonic()

    report = yard.close()

    assert report.outcome is Outcome.DONE
    first, second = report.output.splitlines()
    assert first.startswith(told)
    assert second.startswith("port closed (exit 0; off; ")
    assert time.monotonic() - began < 3 * WITHIN.total_seconds()
    assert yard.agents["power"].plug("db-a1") == "on"


def test_when_none_holds_the_step_is_not_done(yard: Yard) -> None:
    for agent in yard.agents.values():
        agent.behave(Manner.LIES)

    report = yard.close()

    assert report.outcome is Outcome.FAILED
    assert [line.split()[0] for line in report.output.splitlines()] == ["service", "port", "power"]
    assert yard.look("closed").verdict is Verdict.FAILED


def test_when_the_last_one_is_silent_nobody_knows(yard: Yard) -> None:
    for agent in yard.agents.values():
        agent.behave(Manner.HANGS)

    report = yard.close()

    assert report.outcome is Outcome.UNKNOWN
    assert yard.look("closed").verdict is Verdict.INCONCLUSIVE


def test_only_the_layers_that_are_named_are_tried(yard: Yard) -> None:
    yard.close(only=["power"])

    assert yard.agents["power"].plug("db-a1") == "off"
    assert yard.calls("service") == yard.calls("port") == []
    assert yard.look("closed", only=["network"]).verdict is Verdict.FAILED
    assert yard.look("closed", only=["power"]).verdict is Verdict.PASSED


def test_opening_opens_every_one_of_them(yard: Yard) -> None:
    for agent in yard.agents.values():
        agent.turn("db-a1", "off")
    assert yard.look("open").verdict is Verdict.FAILED

    report = yard.close(open=True)

    assert report.outcome is Outcome.DONE
    assert [line.split()[0] for line in report.output.splitlines()] == ["power", "port", "service"]
    assert yard.look("open").verdict is Verdict.PASSED


def test_one_that_stays_closed_is_not_opened(yard: Yard) -> None:
    yard.agents["port"].turn("db-a1", "off")
    yard.agents["port"].behave(Manner.LIES)

    assert yard.close(open=True).outcome is Outcome.FAILED


def test_one_closed_fence_is_enough_to_know_and_nobody_waits_for_the_silent(yard: Yard) -> None:
    yard.agents["service"].behave(Manner.HANGS)
    yard.agents["power"].turn("db-a1", "off")
    began = time.monotonic()

    evidence = yard.look("closed")

    assert evidence.verdict is Verdict.PASSED
    assert evidence.summary == f"power of {MEMBER} is closed: off"
    assert time.monotonic() - began < WITHIN.total_seconds()


def test_a_silent_fence_is_not_open(yard: Yard) -> None:
    yard.agents["service"].behave(Manner.HANGS)

    evidence = yard.look("open")

    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert "no end in time" in evidence.summary


def test_one_that_was_silent_at_the_gate_has_its_turn_last(yard: Yard) -> None:
    yard.agents["service"].behave(Manner.HANGS)
    seen = yard.look("answering")
    began = time.monotonic()

    report = yard.close()

    assert seen.verdict is Verdict.PASSED
    assert f"port of {MEMBER} is open: on" in seen.summary
    assert f"service of {MEMBER} is unknown: no end in time" in seen.summary
    assert report.detail.startswith("port closed (exit 0; off; ")
    assert time.monotonic() - began < WITHIN.total_seconds()


def test_when_all_are_silent_none_answers_and_all_are_tried_in_their_order(yard: Yard) -> None:
    for agent in yard.agents.values():
        agent.behave(Manner.HANGS)

    assert yard.look("answering").verdict is Verdict.INCONCLUSIVE
    tried = yard.close().output.splitlines()

    assert [line.split()[0] for line in tried] == list(NAMES)


def test_a_layer_without_fences_does_not_answer_and_says_so(tmp_path: Path) -> None:
    fences = agent_fences(MEMBER, tmp_path, "service", within=WITHIN)
    probe = a_probe("fence", on=MEMBER, expect="answering", only=("power",))

    evidence = FenceProber(fences, SystemClock()).look(probe, within=SOON)
    fences.shut_down()

    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.summary == f"{MEMBER} has no fence of that layer"


def test_a_look_that_was_just_made_also_serves_the_next(yard: Yard) -> None:
    yard.look("open")
    yard.look("open")

    assert yard.calls("service") == ["status"]


def test_a_member_without_fences_cannot_be_fenced(yard: Yard) -> None:
    bare = "orders-db/db-a2"
    with pytest.raises(TargetUnavailable, match=f"{bare} has no fence"):
        yard.actor.perform(an_action("fence", on=bare), AN_ATTEMPT, within=SOON)

    looked = a_probe("fence", on=bare, expect="closed")
    assert yard.prober.look(looked, within=SOON).verdict is Verdict.INCONCLUSIVE


def test_a_layer_without_a_fence_is_open_and_cannot_be_closed(tmp_path: Path) -> None:
    a_fence_agent(tmp_path / "stop", "db-a1")
    fences = agent_fences(MEMBER, tmp_path, "stop", within=WITHIN)
    lone = Yard({}, FenceActor(fences), FenceProber(fences, SystemClock()))

    assert lone.close(only=["power"], open=True).outcome is Outcome.DONE
    assert lone.close(only=["power"]).outcome is Outcome.FAILED
    assert lone.look("open", only=["power"]).verdict is Verdict.PASSED
    assert lone.look("closed", only=["power"]).verdict is Verdict.FAILED
    fences.shut_down()
