from __future__ import annotations

from collections.abc import Iterator

import click

from orchestrator.domain.playbook import Action, Probe
from orchestrator.interfaces.call_words import look_in_words
from orchestrator.interfaces.columns import columns_of
from orchestrator.interfaces.plan_words import plan_as_text, plan_summary
from tests.support.builders import a_checklist, a_plan, a_plan_with_a_child, a_step, an_item
from tests.support.stories import HOSTILE
from tests.support.switchovers import switchover_plan


def lines_of(text: str) -> Iterator[str]:
    yield from click.unstyle(text).splitlines()


def flat(text: str) -> str:
    return " ".join(click.unstyle(text).split())


def test_the_summary_counts_and_sets_apart_what_cannot_be_taken_back() -> None:
    plan = switchover_plan()

    *_, digest, final = lines_of(plan_summary(plan))

    assert "steps 7 on 3 hosts (db-a1, db-a2, pool-a1), 2 with an undo" in flat(plan_summary(plan))
    assert "gates 2 with 10 items, 1 of them for people" in flat(plan_summary(plan))
    assert final == "  cannot be taken back: promote-standby"
    assert digest == f"  plan {plan.digest}"


def test_a_plan_that_can_be_taken_back_as_a_whole_says_so() -> None:
    assert plan_summary(a_plan()).endswith("cannot be taken back: nothing\x1b[0m")


def test_no_line_of_a_plan_is_wider_than_the_terminal() -> None:
    lines = list(lines_of(plan_as_text(switchover_plan(title="主库切换演练 " * 12))))

    assert [line for line in lines if columns_of(line) > 80] == []


def test_each_step_tells_where_what_the_look_and_the_way_back() -> None:
    told = flat(plan_as_text(switchover_plan()))

    assert "2. hold-client-traffic at most 30.0 s Clients wait in the pooler" in told
    assert "does sql on pool-a1: PAUSE shop" in told
    assert "undo sql on pool-a1: RESUME shop" in told
    assert "If you stop here: Clients wait in the pooler." in told


def test_steps_are_counted_without_the_gates_between_them() -> None:
    numbered = [line for line in lines_of(plan_as_text(switchover_plan())) if line[2:4] == ". "]

    assert [int(line[:2]) for line in numbered] == [1, 2, 3, 4, 5, 6, 7]


def test_behind_the_point_of_no_return_a_step_without_undo_says_what_a_failure_means() -> None:
    told = flat(plan_as_text(switchover_plan()))
    before, _, behind = told.partition("promote-standby at most")

    assert "undo none; if it fails the run holds" not in before
    assert behind.count("undo none; if it fails the run holds") == 4


def test_people_are_told_apart_from_probes_and_soft_items_from_hard_ones() -> None:
    told = flat(plan_as_text(switchover_plan()))

    assert "people change-approved: Is this change approved? (1 × database-owner)" in told
    assert "probe backup-recent: Is the last backup younger than 24 h? (can be waived)" in told


def test_included_playbook_has_a_heading_with_what_it_was_given() -> None:
    told = list(lines_of(plan_as_text(a_plan_with_a_child(a_step("afterwards")))))

    at = told.index("database-reprotect: Bring the old primary back")
    assert told[at + 1] == "  member orders-db/db-a1"
    assert told[at + 3] == "Gate database-reprotect/is-it-down: Before anything changes"
    assert any(line.startswith(" 2. database-reprotect/rewind ") for line in told[at:])
    again = told.index("database-switchover: Move the primary role to a standby, planned")
    assert told[again + 2].startswith(" 3. afterwards ")


def test_hostile_content_reaches_no_terminal() -> None:
    item = an_item(ask=HOSTILE, role="owner")
    action = Action(kind="ssh", inputs={"on": "db-a1", "run": [HOSTILE]})
    step = a_step("hostile", why=HOSTILE, action=action)
    plan = a_plan(step, title=HOSTILE, checklists=[a_checklist("c", item)])

    told = click.unstyle(plan_as_text(plan)).replace("\n", "")

    assert not {"\x1b", "\x00", "\u202e"} & set(told)
    assert "[U+202E]evil" in told


def test_a_look_says_what_it_wants_to_see() -> None:
    query = {"on": "db-a1", "query": "show databases"}
    wanted = {"where": {"name": "shop"}, "row": {"paused": 1, "age_s": {"at_most": 60}}, "rows": 0}

    told = look_in_words(Probe(kind="sql", inputs={**query, **wanted}))

    assert told == (
        "sql on db-a1: show databases → where name shop; row paused 1, age_s at most 60; rows 0"
    )


def test_a_command_s_look_says_what_its_output_must_hold() -> None:
    inputs = {
        "on": "db-a1",
        "run": ["df", "/var"],
        "number": {"pattern": r"(\d+)%", "at_most": 80},
        "exit_code": 1,
    }

    told = look_in_words(Probe(kind="ssh", inputs=inputs))

    assert told == "ssh on db-a1: df /var → number at most 80; exit code 1"


def test_a_look_that_is_told_in_full_is_not_told_twice() -> None:
    probe = Probe(kind="sql_write", inputs={"on": "orders-db/db-a1", "expect": "refused"})

    assert look_in_words(probe) == "sql_write on db-a1: expect refused"
