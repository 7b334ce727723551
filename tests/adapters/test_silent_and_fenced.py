"""Silence proves a fence only together with a fence that is seen to be closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.fences.members import MemberFences
from orchestrator.adapters.probes.sql_write import SqlWriteProber
from orchestrator.adapters.sql_sessions import SqlSessions
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore, SystemClock
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.verdict import Verdict
from tests.support.actions import SOON, a_probe
from tests.support.environments import a_database, a_host, an_environment
from tests.support.fence_agents import FenceAgent, Manner, a_fence_agent, agent_fences
from tests.support.real_postgresql import RealPostgresql
from tests.support.real_sshd import RealSshd

MEMBER = "orders-db/db-a1"
WITHIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Scene:
    """A member with an agent for its power, and the prober that tries to write to it."""

    power: FenceAgent
    fences: MemberFences
    prober: SqlWriteProber

    def look(self, expect: str, *, via: str = "", within: timedelta = SOON) -> Evidence:
        probe = a_probe("sql_write", on=MEMBER, expect=expect, via=via)
        return self.prober.look(probe, within=within)


@contextmanager
def a_scene(
    port: int, sshd: RealSshd, folder: Path, *, via_port: int | None = None
) -> Iterator[Scene]:
    pooler = a_host("pool-a1", ansible_port=via_port) if via_port else sshd.host("pool-a1")
    environment = an_environment(
        hosts=[a_host("db-a1", postgresql_port=port), pooler],
        services=[a_database("db-a1")],
        ssh=sshd.ssh,
    )
    power = a_fence_agent(folder / "power", "db-a1")
    fences = agent_fences(MEMBER, folder, "power", within=WITHIN)
    sql = SqlSessions(environment, SecretStore(folder))
    ssh = SshSessions(environment, SecretStore(sshd.folder))
    yield Scene(power, fences, SqlWriteProber(environment, sql, ssh, fences, SystemClock()))
    for part in (sql, ssh):
        part.close()
    fences.shut_down()


@pytest.fixture
def silent(sshd: RealSshd, silent_port: int, tmp_path: Path) -> Iterator[Scene]:
    """A member that takes connections and never says a word."""
    with a_scene(silent_port, sshd, tmp_path) as scene:
        yield scene


@pytest.mark.parametrize("via", ["", "pool-a1"], ids=["from here", "from the pooler"])
def test_a_silent_member_whose_power_is_off_takes_no_write(silent: Scene, via: str) -> None:
    silent.power.turn("db-a1", "off")

    refused = silent.look("refused", via=via)
    accepted = silent.look("accepted", via=via)

    place = f" from {via}" if via else ""
    assert (refused.verdict, accepted.verdict) == (Verdict.PASSED, Verdict.FAILED)
    assert refused.summary == f"write{place} hung; power of {MEMBER} is closed: off"


def test_nobody_waits_long_for_one_whose_power_is_off(silent: Scene) -> None:
    silent.power.turn("db-a1", "off")
    silent.look("refused")
    began = time.monotonic()

    silent.look("refused")

    assert time.monotonic() - began < 1


@pytest.mark.parametrize("manner", [Manner.WORKS, Manner.FAILS, Manner.HANGS])
def test_a_silent_member_that_is_not_seen_to_be_fenced_proves_nothing(
    silent: Scene, manner: Manner
) -> None:
    silent.power.behave(manner)

    evidence = silent.look("refused", within=timedelta(seconds=1))

    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert "hung" in evidence.summary


def test_an_agent_that_says_off_is_not_believed_against_a_write_that_passes(
    sshd: RealSshd, postgresql: RealPostgresql, tmp_path: Path
) -> None:
    with a_scene(postgresql.port, sshd, tmp_path) as scene:
        scene.power.turn("db-a1", "off")
        assert scene.fences.find_closed(MEMBER, deadline=Deadline.after(SOON))

        evidence = scene.look("refused")

    assert evidence.verdict is Verdict.FAILED
    assert "took a write" in evidence.summary


def test_the_fences_of_a_member_that_is_well_are_left_alone(
    sshd: RealSshd, postgresql: RealPostgresql, tmp_path: Path
) -> None:
    with a_scene(postgresql.port, sshd, tmp_path) as scene:
        assert scene.look("accepted").verdict is Verdict.PASSED
        asked = len(scene.power.calls)

        scene.look("accepted")

        assert len(scene.power.calls) == asked


def test_a_place_that_is_silent_itself_has_seen_nothing(
    sshd: RealSshd, silent_port: int, tmp_path: Path
) -> None:
    with a_scene(silent_port, sshd, tmp_path, via_port=silent_port) as scene:
        scene.power.turn("db-a1", "off")

        evidence = scene.look("refused", via="pool-a1", within=timedelta(seconds=1))

    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert "pool-a1" in evidence.summary
