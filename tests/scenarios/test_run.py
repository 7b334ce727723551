"""Scenario: a whole run, from its first look to its verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.checklist import Level
from orchestrator.domain.errors import JournalBroken
from orchestrator.domain.plan import Mode
from orchestrator.domain.playbook import JourneyName, JourneyTimes, Objectives
from orchestrator.domain.run import (
    CheckDone,
    DriverStarted,
    ExitCode,
    ItemLookedAt,
    Measured,
    StepFinished,
    WatchFailed,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.execution import drive
from tests.support.builders import RUN, a_journey
from tests.support.fake_target import Fate, sets, shows
from tests.support.recoveries import (
    AFTER,
    BACKUP,
    BEFORE,
    FENCE,
    LIN,
    PROMOTE,
    STREAMS,
    Rehearsal,
    a_switchover,
)


def test_run_goes_from_the_gate_to_a_verified_end() -> None:
    rehearsal = Rehearsal()

    rehearsal.drive()

    assert rehearsal.ended.verdict is Verdict.PASSED, rehearsal.ended
    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert rehearsal.target.facts == AFTER
    assert [(a.attempt.step, a.to) for a in rehearsal.target.arrivals] == [
        ("hold-traffic", "held"),
        ("stop-old-primary", "stopped"),
        ("promote-target", "primary"),
        ("turn-pooler", "new"),
        ("release-traffic", "flowing"),
    ]


def test_run_that_ends_gives_its_locks_back_and_leaves_no_canary() -> None:
    rehearsal = Rehearsal()

    rehearsal.drive()

    assert rehearsal.journal.holder_of("service/orders-db") is None
    assert not rehearsal.canary.is_running


def test_driving_an_ended_run_again_does_nothing() -> None:
    rehearsal = Rehearsal()
    rehearsal.drive()
    before = len(rehearsal.entries)

    rehearsal.drive()

    assert len(rehearsal.entries) == before + 1
    assert isinstance(rehearsal.entries[-1].event, DriverStarted)


def test_action_whose_success_was_lost_is_done_when_the_look_says_so() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("new", Fate.LOST_WITH_EFFECT)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED


def test_action_that_lies_is_found_out_by_the_look() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.will("old", Fate.LIES)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.ROLLED_BACK
    assert "old is primary" in rehearsal.ended.summary


def test_big_output_is_kept_beside_the_journal() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.output = "CHECKPOINT"

    rehearsal.drive()

    finished = rehearsal.all_of(StepFinished)[0]
    assert finished.output == "output/hold-traffic-1.txt"
    assert rehearsal.archive.kept["hold-traffic-1.txt"] == "CHECKPOINT"


def test_value_kept_by_a_gate_reaches_later_probes_and_actions_as_data() -> None:
    keeping = replace(BACKUP, probe=shows("backup", "recent", keep="age"))
    promote = replace(PROMOTE, action=sets("new", "${kept.age}"), expect=(shows("new", "recent"),))
    plan = a_switchover(keeping, steps=(FENCE, promote))
    verify = replace(plan.verify, probes={"kept": shows("new", "${kept.age}")})
    rehearsal = Rehearsal(replace(plan, verify=verify))

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED, rehearsal.ended
    assert rehearsal.done_to("new") == ["recent"]


def test_action_that_needs_what_nobody_kept_is_not_tried() -> None:
    promote = replace(PROMOTE, action=sets("new", "${kept.age}"))
    rehearsal = Rehearsal(a_switchover(steps=(FENCE, promote)))

    rehearsal.drive()

    assert rehearsal.done_to("new") == []
    assert rehearsal.all_of(StepFinished)[-1].performed == "not tried: nobody kept 'age'"


def test_probe_that_needs_what_nobody_kept_is_inconclusive_and_spares_the_others() -> None:
    needy = replace(BACKUP, level=Level.HARD, probe=shows("backup", "${kept.age}"))
    rehearsal = Rehearsal(a_switchover(needy, STREAMS))

    rehearsal.drive()

    looks = {e.item: e.evidence.verdict for e in rehearsal.all_of(ItemLookedAt)}
    assert looks == {"backup-recent": Verdict.INCONCLUSIVE, "standby-streams": Verdict.PASSED}
    assert "no earlier probe kept 'age'" in rehearsal.ended.summary


def test_run_nobody_could_watch_is_never_verified() -> None:
    rehearsal = Rehearsal()
    rehearsal.canary.is_reachable = False

    rehearsal.drive()

    assert [e.reason for e in rehearsal.all_of(WatchFailed)] == ["client-1: no route to host"]
    assert rehearsal.ended.verdict is Verdict.INCONCLUSIVE
    assert rehearsal.exit_code is ExitCode.UNKNOWN
    assert "nobody was watching" in rehearsal.ended.summary


def test_canary_that_is_lost_on_the_way_leaves_the_downtime_unknown() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.on_perform = lambda _action, _attempt: _lose(rehearsal)

    rehearsal.drive()

    assert rehearsal.all_of(Measured)[0].measurement == {"doubts": ["client-1: no route to host"]}
    assert rehearsal.exit_code is ExitCode.UNKNOWN


def test_writes_that_cannot_be_counted_are_not_taken_for_kept() -> None:
    rehearsal = Rehearsal()
    rehearsal.verifier.can_count = False

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.UNKNOWN
    assert "the writes were not counted" in rehearsal.ended.summary


def test_lost_write_fails_the_verification() -> None:
    rehearsal = Rehearsal()
    rehearsal.canary.losses = frozenset({1})

    rehearsal.drive()

    assert rehearsal.ended.verdict is Verdict.FAILED
    assert rehearsal.exit_code is ExitCode.HANDS_NEEDED
    assert "1 of" in rehearsal.ended.summary


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        pytest.param("place-an-order", "journey place-an-order", id="the journey"),
        pytest.param("tests/test_database.py", "suite tests/test_database.py", id="a host suite"),
    ],
)
def test_check_that_fails_is_named_at_the_end(failing: str, told: str) -> None:
    journey = a_journey()
    plan = a_switchover()
    verify = replace(
        plan.verify,
        journeys={JourneyName("place-an-order"): JourneyTimes(in_a_row=10)},
        suites=("tests/test_database.py",),
    )
    environment = replace(plan.environment, journeys={journey.journey: journey})
    rehearsal = Rehearsal(replace(plan, verify=verify, environment=environment))
    rehearsal.verifier.failing.add(failing)

    rehearsal.drive()

    assert len(rehearsal.all_of(CheckDone)) == 7
    assert rehearsal.exit_code is ExitCode.HANDS_NEEDED
    assert told in rehearsal.ended.summary


def test_invariant_that_is_broken_at_the_end_fails_the_verification() -> None:
    rehearsal = Rehearsal()
    rehearsal.journal.before_append = lambda: _revive_old_primary_when_confirmed(rehearsal)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.HANDS_NEEDED
    assert "invariant one-primary" in rehearsal.ended.summary


def test_run_with_a_waiver_is_verified_with_reservations() -> None:
    rehearsal = Rehearsal(a_switchover(BACKUP))
    rehearsal.target.facts["backup"] = "old"
    rehearsal.clock.while_waiting = lambda: rehearsal.sign(
        "backup-recent", by=LIN, comment="19 h is enough", waives=True
    )

    rehearsal.drive()

    assert rehearsal.ended.verdict is Verdict.DEGRADED
    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert "opened with reservations" in rehearsal.ended.summary


def test_preflight_asks_the_gate_and_touches_nothing() -> None:
    rehearsal = Rehearsal(mode=Mode.PREFLIGHT)

    rehearsal.drive()

    assert rehearsal.exit_code is ExitCode.VERIFIED
    assert "nothing was changed" in rehearsal.ended.summary
    assert rehearsal.target.arrivals == []
    assert rehearsal.target.facts == BEFORE
    assert not rehearsal.canary.is_running


def test_run_is_not_driven_with_another_plan_than_was_shown() -> None:
    rehearsal = Rehearsal()
    edited = replace(rehearsal.plan, objectives=Objectives(downtime=timedelta(minutes=5)))
    rehearsal.plan = edited

    with pytest.raises(JournalBroken, match="was not created for the plan"):
        rehearsal.drive()

    assert rehearsal.target.arrivals == []


def test_run_that_was_never_created_is_not_driven() -> None:
    rehearsal = Rehearsal()
    unknown = type(RUN)("r-unknown")

    with pytest.raises(JournalBroken, match="r-unknown"):
        drive(rehearsal.plan, unknown, rehearsal.world, DriverStarted(pid=1, boot="b00t"))

    assert rehearsal.journal.read(unknown) == ()


def test_journal_that_breaks_stops_every_mutation() -> None:
    rehearsal = Rehearsal()
    rehearsal.target.on_perform = lambda _action, _attempt: _break(rehearsal)

    with pytest.raises(JournalBroken):
        rehearsal.drive()

    assert len(rehearsal.target.arrivals) == 1
    assert rehearsal.all_of(StepFinished) == []


def _lose(rehearsal: Rehearsal) -> None:
    rehearsal.canary.is_reachable = False


def _break(rehearsal: Rehearsal) -> None:
    rehearsal.journal.is_broken = True


def _revive_old_primary_when_confirmed(rehearsal: Rehearsal) -> None:
    if "writes-confirmed" in rehearsal.state.opened:
        rehearsal.target.facts["old"] = "primary"
