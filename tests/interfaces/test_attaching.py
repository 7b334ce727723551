from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.checklist import PersonName
from orchestrator.domain.playbook import StepName
from orchestrator.domain.run import Entry, Event, ExitCode, Outcome, RetryRequested, RunHeld
from orchestrator.domain.verdict import Verdict
from tests.interfaces.conftest import Recover
from tests.support.builders import ended, finished, intended
from tests.support.kept_runs import keep_run
from tests.support.stories import Story
from tests.support.switchovers import (
    STORIES,
    aborted,
    held,
    refused,
    rolled_back,
    verified,
    verified_with_a_waiver,
    waiting,
)


@pytest.mark.parametrize(
    ("story", "code"),
    [
        (verified, 0),
        (verified_with_a_waiver, 0),
        (refused, 3),
        (rolled_back, 4),
        (held, 6),
        (aborted, 7),
    ],
)
def test_a_replay_leaves_with_the_code_of_its_run(
    story: Callable[[], Story], code: int, recover: Recover, state: Path
) -> None:
    run = keep_run(state, story())

    assert recover("attach", run).code == code
    assert recover("attach", run, "-o", "jsonl").code == code


def test_a_replay_ends_with_the_path_of_a_report_that_is_there(
    recover: Recover, state: Path
) -> None:
    run = keep_run(state, verified())

    told = recover("attach", run)

    file = state / "runs" / run / "report.html"
    assert told.out.rstrip().endswith(str(file))
    assert "<!doctype html>" in file.read_text().lower()


def test_latest_names_the_newest_run(recover: Recover, state: Path) -> None:
    keep_run(state, verified(), "r-1")
    keep_run(state, refused(), "r-2")

    assert recover("attach", "latest").code == ExitCode.REFUSED


def test_a_replay_in_json_loses_no_entry(recover: Recover, state: Path) -> None:
    story = held()
    run = keep_run(state, story)

    rows = [json.loads(line) for line in recover("attach", run, "-o", "jsonl").out.splitlines()]

    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    kinds = [row["kind"] for row in rows if row["kind"] != "Measured"]
    assert kinds == [type(entry.event).__name__ for entry in story.entries]
    assert rows[0]["event"]["requester"] == "ada"


def test_a_run_that_was_held_and_tried_again_is_replayed_to_its_end(
    recover: Recover, state: Path
) -> None:
    run = keep_run(state, retried(held()))

    told = recover("attach", run)

    assert told.code == ExitCode.VERIFIED
    assert "◦ held" in told.out
    assert "retry repoint-pooler" in told.out
    assert "orders-db is on db-a2" in told.out


def test_an_orphan_says_how_it_goes_on_and_what_its_driver_said_last(
    recover: Recover, state: Path
) -> None:
    run = keep_run(state, waiting())
    (state / "runs" / run / "driver.log").write_text("a\nb\nc\nerror: no room\x1b[2J\n")

    told = recover("attach", run)

    assert told.code == ExitCode.UNKNOWN
    assert f"let it go on: recover resume {run}" in told.out
    assert "  error: no room[U+001B][2J\n" in told.out
    assert "  a\n" not in told.out


def test_a_report_that_cannot_be_written_is_no_end_of_the_telling(
    recover: Recover, state: Path
) -> None:
    run = keep_run(state, verified())
    (state / "runs" / run / "report.html").mkdir()

    told = recover("attach", run)

    assert told.code == ExitCode.VERIFIED
    assert "not written" in told.out
    assert f"recover report {run} -o FILE" in " ".join(told.out.split())


def test_a_plan_that_was_changed_afterwards_is_not_told_as_if_it_were_the_one(
    recover: Recover, state: Path
) -> None:
    run = keep_run(state, verified())
    plan = state / "runs" / run / "plan.json"
    plan.write_text(plan.read_text().replace("database-switchover", "another-playbook"))

    told = recover("attach", run)

    assert told.code == ExitCode.INTERNAL
    assert "is not the plan that was shown" in told.err


@pytest.mark.parametrize("form", ["html", "json", "junit"])
@pytest.mark.parametrize("name", STORIES)
def test_every_run_can_be_reported_in_every_form(
    name: str, form: str, recover: Recover, state: Path, tmp_path: Path
) -> None:
    run = keep_run(state, STORIES[name]())
    file = tmp_path / "report"

    told = recover("report", run, "--format", form, "-o", str(file))

    assert (told.code, told.out) == (0, f"{file}\n")
    assert file.read_text().strip()[0] in "<{"


def retried(story: Story) -> Story:
    """The same run, after somebody repaired what held it."""
    last = story.entries[-1]
    assert isinstance(last.event, RunHeld)
    step = StepName("repoint-pooler")
    events: tuple[Event, ...] = (
        RetryRequested(by=PersonName("ada"), step=step, reason="console says it is idle"),
        intended(step, 2),
        finished(step, Outcome.DONE, attempt=2),
        ended(Verdict.PASSED),
    )
    more = [
        Entry(run=last.run, seq=last.seq + number, at=last.at, event=event)
        for number, event in enumerate(events, start=1)
    ]
    return replace(story, entries=(*story.entries, *more))
