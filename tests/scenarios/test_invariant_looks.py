"""Scenario: looks at invariants are quick, unless an invariant hangs on who was silent."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.domain.run import ExitCode
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.execution import LOOK_LIMIT
from orchestrator.engine.guarding import FIRST_LIMIT, SILENT_LIMIT
from tests.support.fake_target import Fate
from tests.support.recoveries import Rehearsal

OLD, NEW, BOTH = frozenset({"old"}), frozenset({"new"}), frozenset({"old", "new"})


def looks_at_members(rehearsal: Rehearsal) -> list[tuple[timedelta, frozenset[str]]]:
    """Every round of looks at members that can be one of the invariants."""
    limits = {FIRST_LIMIT, SILENT_LIMIT, LOOK_LIMIT}
    return [
        (within, facts)
        for within, facts in rehearsal.target.waited
        if within in limits and facts <= BOTH
    ]


def test_the_first_look_is_short() -> None:
    rehearsal = Rehearsal()

    rehearsal.drive()

    first, second, *_ = looks_at_members(rehearsal)
    assert (first, second) == ((FIRST_LIMIT, BOTH), (LOOK_LIMIT, BOTH))


def test_a_member_that_was_silent_is_given_little_time_while_nothing_hangs_on_it() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.blind = {"old"}
    rehearsal.target.will("old", Fate.FAILS)

    rehearsal.drive()

    first, *later = looks_at_members(rehearsal)
    assert first == (FIRST_LIMIT, BOTH)
    assert (SILENT_LIMIT, OLD) in later
    assert (LOOK_LIMIT, BOTH) not in later


def test_a_slow_member_is_waited_for_where_an_invariant_hangs_on_it() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.slow = {"new": timedelta(seconds=2), "old": timedelta(seconds=2)}

    rehearsal.drive()

    first, again, *_ = looks_at_members(rehearsal)
    assert (first, again) == ((FIRST_LIMIT, BOTH), (LOOK_LIMIT, BOTH))
    assert rehearsal.exit_code is ExitCode.VERIFIED


def test_a_member_that_stays_silent_breaks_the_invariant_that_hangs_on_it() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.facts["new"] = "primary"
    rehearsal.target.blind = {"old"}

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.REFUSED
    assert (LOOK_LIMIT, OLD) in looks_at_members(rehearsal)
    checked = rehearsal.state.invariants
    assert checked is not None
    assert checked.evidence["one-primary"].verdict is Verdict.INCONCLUSIVE
