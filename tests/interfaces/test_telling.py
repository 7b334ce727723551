from __future__ import annotations

from collections.abc import Iterator, Sequence

import click
import pytest

from orchestrator.domain.checklist import PersonName
from orchestrator.domain.playbook import StepName
from orchestrator.domain.run import (
    CheckDone,
    Entry,
    Event,
    GateRefused,
    ManualStepAnswered,
    RetryRequested,
    WatchFailed,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.interfaces.columns import columns_of
from orchestrator.interfaces.telling import Teller
from tests.support.builders import (
    PREFLIGHT,
    a_journal,
    a_plan,
    a_plan_with_a_child,
    a_step,
    intended,
)
from tests.support.stories import Story
from tests.support.switchovers import STORIES, held, hostile, rolled_back, verified, waiting


def told(story: Story) -> list[str]:
    teller = Teller(plan=story.plan)
    return [click.unstyle(line) for entry in story.entries for line in teller.tell(entry)]


def telling_of(*events: Event) -> Iterator[str]:
    teller = Teller(plan=a_plan())
    for entry in a_journal(*((float(at), event) for at, event in enumerate(events))):
        yield from map(click.unstyle, teller.tell(entry))


def found(lines: Sequence[str], word: str) -> str:
    """The line with *word*, and the one below it, where a long detail stands."""
    at = next(number for number, line in enumerate(lines) if word in line)
    return " ".join(" ".join(lines[at : at + 2]).split())


@pytest.mark.parametrize("name", STORIES)
def test_no_line_of_a_run_is_wider_than_the_terminal(name: str) -> None:
    lines = told(STORIES[name]())

    assert [line for line in lines if columns_of(line) > 80] == []
    assert len(lines) > 5


def test_each_stage_has_a_heading_and_a_stage_that_goes_on_has_one() -> None:
    lines = told(rolled_back())

    headings = [line for line in lines if line and not line[0].isdigit() and line[0] != " "]
    assert headings == ["Gate: Before anything changes", "Steps", "Taking back"]


def test_steps_of_an_included_playbook_stand_under_its_title() -> None:
    teller = Teller(plan=a_plan_with_a_child(a_step("afterwards")))
    steps = ("stop-old-primary", "database-reprotect/rewind", "afterwards")
    begun = a_journal(*((float(at), intended(step)) for at, step in enumerate(steps)))

    lines = [click.unstyle(line) for entry in begun for line in teller.tell(entry)]

    assert [line for line in lines if line.startswith("Steps")] == [
        "Steps",
        "Steps: Bring the old primary back",
        "Steps",
    ]


def test_a_step_is_told_when_it_begins_and_again_with_its_time_when_it_ends() -> None:
    lines = told(verified())

    assert "▸ checkpoint-primary The stop that follows" in found(lines, "▸ checkpoint-primary")
    assert "done in 410 ms: checkpoint took" in found(lines, "✓ checkpoint-primary")


def test_the_step_that_cannot_be_taken_back_says_so_before_it_begins() -> None:
    assert "Cannot be taken back." in found(told(verified()), "▸ promote-standby")


def test_an_unknown_outcome_is_neither_done_nor_failed() -> None:
    assert "unknown in 10.0 s" in found(told(held()), "? repoint-pooler")


def test_a_gate_that_waits_says_until_when_and_what_to_type() -> None:
    lines = told(waiting())

    assert "waits for people until" in found(lines, "waits for people")
    assert "recover sign r-20260102-1 change-approved --as NAME" in found(lines, "◦ change-appr")


def test_a_gate_that_stays_shut_says_why_and_how_to_mend_it() -> None:
    plan_item = "replica-in-sync: the standby is 3 GiB behind"

    lines = list(telling_of(GateRefused(gate=PREFLIGHT, obstacles=(plan_item,))))

    assert "stays shut" in lines[2]
    assert plan_item in found(lines, "because")


def test_a_gate_that_nobody_answered_says_that() -> None:
    lines = telling_of(GateRefused(gate=PREFLIGHT, obstacles=(), timed_out=True))

    assert "nobody answered in time" in found(list(lines), "stays shut")


def test_people_are_quoted() -> None:
    ada = PersonName("ada")
    step = StepName("stop-old-primary")
    lines = list(
        telling_of(
            ManualStepAnswered(
                step=step, attempt=1, by=ada, verdict=Verdict.PASSED, comment="the plug is out"
            ),
            RetryRequested(by=ada, step=step, reason="disk replaced"),
            WatchFailed(reason="client-1 does not answer"),
        )
    )

    assert "answered by ada: the plug is out" in lines[0]
    assert "allowed by ada: disk replaced" in lines[1]
    assert "✗ watching  client-1 does not answer" in lines[2]


def test_names_of_any_length_fit_the_terminal() -> None:
    name = "tests/test_database.py::test_" + "x" * 90
    lines = list(
        telling_of(
            CheckDone(group="suite", name=name, verdict=Verdict.PASSED, detail=""),
            CheckDone(group="g" * 90, name="n", verdict=Verdict.PASSED, detail="as expected"),
        )
    )

    assert [line for line in lines if columns_of(line) > 80] == []
    assert "x" * 60 in "".join(lines)
    assert "tests/test_database.py" not in "".join(lines)
    assert lines[-1].endswith("n: as expected")


def test_hostile_text_of_a_target_reaches_no_terminal() -> None:
    steering = {chr(code) for code in range(32)} | {"\x7f", "\x9b", "\u202e", "\u202c"}

    for line in told(hostile()):
        assert not steering & set(line), line
    assert any("[U+202E]evil" in line for line in told(hostile()))


def test_a_flood_of_text_is_cut_short() -> None:
    lines = told(hostile())

    assert lines.count("             …") == 2
    assert len(lines) < 40


def test_the_teller_knows_what_the_run_is_busy_with() -> None:
    story = verified()
    teller = Teller(plan=story.plan)
    doing = []
    for entry in story.entries:
        list(teller.tell(entry))
        doing.append((type(entry.event).__name__, teller.doing))

    assert ("StepIntended", "promote-standby") in doing
    assert ("CheckDone", "Verification") in doing
    assert any(name == "GateWaits" and told.startswith("people are") for name, told in doing)


def test_an_entry_that_says_nothing_new_opens_no_stage() -> None:
    story = verified()
    quiet: list[Entry] = [e for e in story.entries if type(e.event).__name__ == "DriverStarted"]
    teller = Teller(plan=story.plan)

    assert [line for entry in quiet for line in teller.tell(entry)] == []
