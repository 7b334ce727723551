from __future__ import annotations

import re

import click
import pytest

from orchestrator.interfaces.closing import closing_words
from orchestrator.interfaces.columns import columns_of
from tests.support.stories import Story
from tests.support.switchovers import (
    STORIES,
    aborted,
    held,
    refused,
    rolled_back,
    verified,
    verified_with_a_waiver,
)

FILE = "/var/lib/recover/runs/r-20260102-1/report.html"


def closing(story: Story) -> str:
    lines = closing_words(story.report(), FILE)
    return "\n".join(" ".join(click.unstyle(line).split()) for line in lines).strip()


@pytest.mark.parametrize("name", STORIES)
def test_closing_lines_fit_the_terminal_and_end_with_the_report(name: str) -> None:
    lines = [click.unstyle(line) for line in closing_words(STORIES[name]().report(), FILE)]

    assert [line for line in lines if columns_of(line) > 80] == []
    assert lines[-1].endswith(FILE)


def test_a_verified_run_says_what_was_done_what_it_cost_and_that_it_is_verified() -> None:
    told = closing(verified())

    assert told.startswith("✓ Verified\nThe primary role of orders-db moved from db-a1 to db-a2")
    assert "steps 7 of 7 done" in told
    assert re.search(r"downtime 0 – \d+ ms \(allowed 1.0 s\); longest gap .* \d+ ms", told)
    assert "lost writes 0 (allowed 0);" in told
    assert "verified 6 of 6 checks passed" in told


def test_a_waiver_shows_in_the_first_line() -> None:
    assert closing(verified_with_a_waiver()).startswith("▲ Verified, with reservations")


def test_a_refused_run_says_that_nothing_was_done_and_what_to_mend() -> None:
    told = closing(refused())

    assert told.startswith("✗ Refused by the gate")
    assert "steps 0 of 7 done" in told
    assert "downtime" not in told
    assert "next On db-a2: select pg_wal_replay_resume()" in told


def test_a_run_that_was_taken_back_says_that_the_prior_state_is_back() -> None:
    told = closing(rolled_back())

    assert told.startswith("✗ Failed, rolled back")
    assert "1 of 7 done, 2 taken back" in told
    assert "prior state db-a1 primary, 2 standbys stream, shop not paused" in told
    assert "next End backend 18833 on db-a1" in told


def test_a_held_run_names_its_owner_the_next_action_and_what_there_is_until_then() -> None:
    told = closing(held())

    assert told.startswith("? Held, outcome unknown")
    assert "lost writes not known (allowed 0)" in told
    assert "if left so Clients wait in the pooler." in told
    assert "next ada: Log in to pool-a1 by its console" in told


def test_an_aborted_run_that_nobody_watched_claims_no_numbers() -> None:
    told = closing(aborted())

    assert "downtime not known (allowed 1.0 s)" in told
    assert "lost writes not known (allowed 0)" in told
