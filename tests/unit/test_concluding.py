from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.plan import BoundInvariant
from orchestrator.domain.playbook import StepName
from orchestrator.domain.run import ExitCode, InvariantsChecked
from orchestrator.domain.state import RunState
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.concluding import conclude, judge_invariant
from orchestrator.engine.folding import fold
from tests.support.builders import (
    A_PROBE,
    NOON,
    RUN,
    a_journal,
    a_plan,
    after,
    created,
    finished,
    intended,
    some_evidence,
)

P, U, F = Verdict.PASSED, Verdict.INCONCLUSIVE, Verdict.FAILED


def _judge(
    seen: list[Verdict], at_most: int | None = None, at_least: int | None = None
) -> tuple[Verdict, str]:
    looks = {f"db-{n}": some_evidence(verdict) for n, verdict in enumerate(seen, start=1)}
    invariant = BoundInvariant(
        invariant="writable",
        why="so",
        probes=dict.fromkeys(looks, A_PROBE),
        at_most=at_most,
        at_least=at_least,
    )
    evidence = judge_invariant(invariant, looks, now=NOON)
    return evidence.verdict, evidence.summary


@pytest.mark.parametrize(
    ("seen", "verdict", "summary"),
    [
        pytest.param([P, F, F], P, "db-1 of 3", id="one"),
        pytest.param([F, F, F], P, "no member of 3", id="none"),
        pytest.param([P, P, F], F, "db-1, db-2 of 3", id="two"),
        pytest.param([P, U, F], U, "db-1 of 3; no answer from db-2", id="one, and one unheard"),
        pytest.param([U, F, F], P, "no member of 3; no answer from db-1", id="only one unheard"),
        pytest.param([P, P, U], F, "db-1, db-2 of 3; no answer from db-3", id="two already"),
    ],
)
def test_at_most_one_counts_the_unheard_as_possible(
    seen: list[Verdict], verdict: Verdict, summary: str
) -> None:
    assert _judge(seen, at_most=1) == (verdict, summary)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        pytest.param([P, P, F], P, id="enough"),
        pytest.param([P, U, F], U, id="perhaps enough"),
        pytest.param([P, F, F], F, id="too few"),
        pytest.param([U, F, F], F, id="too few even so"),
    ],
)
def test_at_least_two_counts_only_what_was_seen(seen: list[Verdict], verdict: Verdict) -> None:
    assert _judge(seen, at_least=2)[0] is verdict


@given(st.lists(st.sampled_from([P, U, F]), min_size=1, max_size=5), st.data())
def test_hearing_from_a_silent_member_never_contradicts_a_verdict(
    seen: list[Verdict], data: st.DataObject
) -> None:
    at_most = data.draw(st.none() | st.integers(0, 3))
    at_least = data.draw(st.none() | st.integers(0, 3))
    verdict = _judge(seen, at_most, at_least)[0]
    heard = [data.draw(st.sampled_from([P, F])) if v is U else v for v in seen]

    if verdict is not U:
        assert _judge(heard, at_most, at_least)[0] is verdict


def test_run_without_any_check_is_not_called_verified() -> None:
    plan = a_plan()
    entries = a_journal((0, created(plan)), (1, intended()), (2, finished()))

    ended = conclude(plan, fold(RunState(run=RUN), entries))

    assert ended.verdict is U
    assert ended.exit_code is ExitCode.UNKNOWN
    assert ended.summary == "nothing was verified"


def test_invariant_whose_reason_is_gone_is_still_told_as_the_cause() -> None:
    state = replace(RunState(run=RUN), turned_back=True)

    assert conclude(a_plan(), state).summary.startswith("an invariant did not hold; ")


def test_broken_invariant_is_named_as_the_cause() -> None:
    broken = InvariantsChecked(
        step=StepName("stop"),
        when="before",
        evidence={"one-primary": some_evidence(F, "two", at=after(1)), "up": some_evidence()},
    )

    ended = conclude(a_plan(), replace(RunState(run=RUN), invariants=broken))

    assert ended.exit_code is ExitCode.REFUSED
    assert ended.summary == "an invariant did not hold; one-primary: two; nothing was changed"
