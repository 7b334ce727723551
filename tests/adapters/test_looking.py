"""Looking with several probes side by side, once or until they pass."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from orchestrator.adapters.probes.looking import SideBySide
from orchestrator.adapters.system import SystemClock
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from tests.support.builders import NOON, some_evidence

A_MINUTE = timedelta(minutes=1)


class Scripted:
    """Answers each probe by its script, the last answer again and again."""

    def __init__(self, **scripts: str) -> None:
        self._scripts = {name: list(script) for name, script in scripts.items()}
        self.looks: list[tuple[str, timedelta]] = []

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        name = str(probe.inputs["name"])
        self.looks.append((name, within))
        script = self._scripts[name]
        mark = script.pop(0) if len(script) > 1 else script[0]
        verdict = {"+": Verdict.PASSED, "-": Verdict.FAILED, "?": Verdict.INCONCLUSIVE}[mark]
        return some_evidence(verdict, name, at=NOON)


class Meeting:
    """Answers only once all who were asked are looking at the same time."""

    def __init__(self, parties: int) -> None:
        self._barrier = threading.Barrier(parties)

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        self._barrier.wait(timeout=within.total_seconds())
        return some_evidence()


def _probes(*names: str) -> list[Probe]:
    return [Probe(kind="scripted", inputs={"name": name}) for name in names]


@contextmanager
def _looker(prober: Scripted | Meeting) -> Iterator[SideBySide]:
    looker = SideBySide({"scripted": prober}, SystemClock())
    yield looker
    looker.close()


@pytest.mark.parametrize("names", [("a",), ("b", "a", "c")], ids=["one", "several"])
def test_answers_stand_in_the_order_of_the_questions(names: tuple[str, ...]) -> None:
    prober = Scripted(a="+", b="-", c="?")

    with _looker(prober) as looker:
        looks = looker.look(_probes(*names), within=A_MINUTE)

    assert [look.summary for look in looks] == list(names)
    assert len(prober.looks) == len(names)


def test_probes_look_side_by_side() -> None:
    with _looker(Meeting(3)) as looker:
        looks = looker.look(_probes("a", "b", "c"), within=A_MINUTE)

    assert len(looks) == 3


@pytest.mark.parametrize("names", [("a",), ("a", "b")], ids=["one", "several"])
def test_patient_look_looks_again_with_what_has_not_passed(names: tuple[str, ...]) -> None:
    prober = Scripted(a="-?-+", b="+")

    with _looker(prober) as looker:
        looks = looker.look_until(_probes(*names), within=A_MINUTE)

    assert {look.verdict for look in looks} == {Verdict.PASSED}
    assert [name for name, _ in prober.looks].count("a") == 4
    assert [name for name, _ in prober.looks].count("b") == len(names) - 1


def test_patience_ends_with_the_last_answer() -> None:
    prober = Scripted(a="?-")

    with _looker(prober) as looker:
        looks = looker.look_until(_probes("a"), within=timedelta(milliseconds=50))

    assert [look.verdict for look in looks] == [Verdict.FAILED]
    assert len(prober.looks) > 1


def test_each_look_gets_only_what_is_left_of_the_time() -> None:
    prober = Scripted(a="---+")

    with _looker(prober) as looker:
        looker.look_until(_probes("a"), within=A_MINUTE)

    given = [within for _, within in prober.looks]
    assert given == sorted(given, reverse=True)
    assert A_MINUTE >= given[0] > given[-1]
