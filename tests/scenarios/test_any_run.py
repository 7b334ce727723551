"""Any run at all: hypothesis plays the world, the people and death; a second opinion watches."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from orchestrator.domain.checklist import PersonName
from orchestrator.domain.errors import RequestRefused
from orchestrator.domain.run import ItemSigned, RunHeld, RunId, StepIntended, UndoIntended
from orchestrator.domain.verdict import Verdict
from orchestrator.engine import requesting
from tests.support.builders import GRACE
from tests.support.fake_target import Fate
from tests.support.fakes import Died
from tests.support.recoveries import (
    APPROVED,
    BACKUP,
    LIN,
    STREAMS,
    Rehearsal,
    a_switchover,
)
from tests.support.run_oracle import check_rest, check_run

RUNS = 300
REACHED: Counter[str] = Counter()
"""What the generated runs came to: a search that goes blind would prove nothing."""

ITEMS = st.sampled_from(["change-approved", "backup-recent", "standby-streams"])
PEOPLE = st.sampled_from(["ada", "grace", "lin", "eve"]).map(PersonName)
STEPS = st.sampled_from(
    ["hold-traffic", "stop-old-primary", "promote-target", "turn-pooler", "release-traffic"]
)
ACTED_ON = st.sampled_from(["traffic", "old", "new", "pooler"])
SEEN = st.sampled_from(["traffic", "old", "new", "pooler", "replay", "replication", "backup"])
FATES = st.lists(st.sampled_from(Fate), max_size=3)
A_MINUTE = timedelta(minutes=1)


class AnyRun(RuleBasedStateMachine):
    """One run, and everything that can befall it between and during its drivers."""

    @initialize(asks_people=st.booleans(), fact=ACTED_ON, fates=FATES)
    def begin(self, asks_people: bool, fact: str, fates: list[Fate]) -> None:
        items = (STREAMS, BACKUP, APPROVED) if asks_people else (STREAMS, BACKUP)
        self.rehearsal = Rehearsal(a_switchover(*items))
        self.rehearsal.clock.while_waiting = self._let_people_act
        self.rehearsal.target.will(fact, *fates)
        self.willing = True

    @rule(fact=ACTED_ON, fates=FATES)
    def let_actions_go_wrong(self, fact: str, fates: list[Fate]) -> None:
        self.rehearsal.target.will(fact, *fates)

    @rule(fact=SEEN)
    def hide(self, fact: str) -> None:
        self.rehearsal.target.blind = {fact}

    @rule()
    def show_everything(self) -> None:
        self.rehearsal.target.blind = set()

    @rule(fact=st.sampled_from(["replication", "backup", "replay"]))
    def break_something(self, fact: str) -> None:
        self.rehearsal.target.facts[fact] = "broken"

    @rule()
    def mend_everything(self) -> None:
        facts = {"replication": "streaming", "backup": "recent", "replay": "complete"}
        self.rehearsal.target.facts.update(facts)
        self.rehearsal.target.blind = set()

    @rule(willing=st.booleans())
    def change_minds(self, willing: bool) -> None:
        self.willing = willing

    @rule(item=ITEMS, by=PEOPLE, waives=st.booleans(), verdict=st.sampled_from(Verdict))
    def sign(self, item: str, by: PersonName, waives: bool, verdict: Verdict) -> None:
        with suppress(RequestRefused):
            self.rehearsal.sign(item, by, verdict, comment="so be it", waives=waives)

    @rule(by=PEOPLE)
    def replay_a_signature_of_another_run(self, by: PersonName) -> None:
        state = replace(self.rehearsal.state, run=RunId("r-drill"))
        with suppress(RequestRefused):
            signed = requesting.sign(
                self.rehearsal.plan,
                state,
                "change-approved",
                by=by,
                verdict=Verdict.PASSED,
                comment="",
                waives=False,
                now=self.rehearsal.clock.now(),
            )
            self.rehearsal.append(signed)

    @rule(minutes=st.integers(1, 40))
    def wait(self, minutes: int) -> None:
        self.rehearsal.clock.advance(minutes * A_MINUTE)

    @rule(seconds=st.integers(1, 600))
    def set_the_clock_back(self, seconds: int) -> None:
        self.rehearsal.clock.set_back(timedelta(seconds=seconds))

    @rule(by=PEOPLE)
    def abort(self, by: PersonName) -> None:
        with suppress(RequestRefused):
            self.rehearsal.abort(by)

    @rule(step=STEPS)
    def retry(self, step: str) -> None:
        with suppress(RequestRefused):
            self.rehearsal.retry(step)

    @rule()
    def drive(self) -> None:
        self._drive()

    @rule(writes=st.integers(1, 12), when=st.sampled_from(["before", "after"]))
    def drive_until_killed(self, writes: int, when: str) -> None:
        journal = self.rehearsal.journal
        journal.die(when, write=journal.writes + writes)
        self._drive()

    @rule()
    def mend_and_drive_on(self) -> None:
        self.mend_everything()
        self.rehearsal.target.fates.clear()
        self.willing = True
        self._drive()

    @invariant()
    def every_rule_holds(self) -> None:
        if hasattr(self, "rehearsal"):
            check_run(self.rehearsal)

    def teardown(self) -> None:
        if hasattr(self, "rehearsal"):
            _note(self.rehearsal)

    def _drive(self) -> None:
        try:
            self.rehearsal.drive()
        except Died:
            REACHED["deaths"] += 1
        else:
            check_rest(self.rehearsal)
        self.rehearsal.journal.live()

    def _let_people_act(self) -> None:
        """Whoever is asked answers after a minute, if people are willing at all."""
        self.rehearsal.clock.advance(A_MINUTE)
        if self.willing:
            with suppress(RequestRefused):
                self.rehearsal.sign("backup-recent", LIN, comment="go", waives=True)
            with suppress(RequestRefused):
                self.rehearsal.sign("change-approved", GRACE)


# What a run of chance reaches covers nothing: the next one may not.
@pytest.mark.no_cover
def test_any_run_keeps_every_rule() -> None:
    REACHED.clear()

    run_state_machine_as_test(
        AnyRun,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    runs = REACHED["runs"]
    assert runs >= RUNS
    assert REACHED["mutated"] >= 0.3 * runs, REACHED
    for happened in ("deaths", "verified", "rolled back", "held", "signed", "aborted"):
        assert REACHED[happened] >= 0.02 * runs, (happened, REACHED)


def _note(rehearsal: Rehearsal) -> None:
    kinds = {type(entry.event) for entry in rehearsal.entries}
    ended = rehearsal.state.ended
    REACHED["runs"] += 1
    REACHED["mutated"] += StepIntended in kinds
    REACHED["rolled back"] += UndoIntended in kinds
    REACHED["signed"] += ItemSigned in kinds
    REACHED["held"] += RunHeld in kinds
    REACHED["aborted"] += rehearsal.state.abort is not None
    REACHED["verified"] += ended is not None and ended.exit_code == 0
