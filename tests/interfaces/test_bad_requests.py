from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.run import ExitCode
from tests.interfaces.conftest import Recover
from tests.support.kept_runs import keep_run
from tests.support.switchovers import held, verified, waiting

PLAN = ("plan", "database-switchover", "--env", "lab")
RUN = "r-20260102-1"

MISTYPED = {
    "a command": (("runz",), "there is no command runz; did you mean run"),
    "a command like none": (("frobnicate",), "there is no command frobnicate"),
    "an option": (("runs", "--ouput", "json"), "No such option"),
    "a form": (("runs", "-o", "xml"), "'xml' is not one of"),
    "a run": (("attach", "r-0"), "there is no run r-0; there is none yet"),
    "a playbook to show": (("show", "database-switchovr"), "did you mean `database-switchover`"),
    "a playbook to plan": (("plan", "switch", "--env", "lab"), "there is no playbook `switch`"),
    "a playbook that is a path": (("show", "../../etc/passwd"), "there is no playbook"),
    "an environment": (("plan", "database-switchover", "--env", "labb"), "did you mean `lab`"),
    "no environment": (("plan", "database-switchover"), "give --env NAME"),
    "a parameter": ((*PLAN, "--set", "tarket=db-a2"), "has no parameter tarket; it has database"),
    "a parameter's form": ((*PLAN, "--set", "target"), "write it as NAME=VALUE"),
    "a parameter twice": ((*PLAN, "--set", "a=1", "--set", "a=2"), "given twice"),
    "a service": ((*PLAN, "--set", "database=billing-db"), "give --set database=SERVICE"),
    "a reason": (("abort", RUN), "Missing option '--reason'"),
    "a wait": (("sign", RUN, "--wait", "soon"), "not a valid float"),
}


@pytest.mark.parametrize(("args", "words"), MISTYPED.values(), ids=MISTYPED)
def test_what_is_mistyped_is_named_and_leaves_with_2(
    args: tuple[str, ...], words: str, recover: Recover
) -> None:
    told = recover(*args)

    assert told.code == ExitCode.USAGE
    assert words in told.err
    assert told.err.startswith("error: ")
    assert told.out == ""


REFUSED = {
    "an item of a run that does not wait": (
        held,
        ("sign", RUN, "change-approved", "--as", "grace"),
        "does not wait for anybody's signature",
    ),
    "an item that there is not": (
        waiting,
        ("sign", RUN, "change-aproved", "--as", "grace"),
        "people answer change-approved",
    ),
    "an item of another role": (
        waiting,
        ("sign", RUN, "change-approved", "--as", "lin"),
        "lin does not have the role database-owner",
    ),
    "an item by a stranger": (
        waiting,
        ("sign", RUN, "change-approved", "--as", "mallory"),
        "mallory",
    ),
    "nothing that waits for this role": (
        waiting,
        ("sign", RUN, "--as", "lin"),
        "does not wait for an answer of lin",
    ),
    "the waiver of a hard item": (
        waiting,
        ("waive", RUN, "change-approved", "--as", "grace", "--reason", "late"),
        "is a hard item and cannot be waived",
    ),
    "the abort of a run that has ended": (
        verified,
        ("abort", RUN, "--as", "ada", "--reason", "late"),
        "has ended",
    ),
    "the retry of a step that did not fail": (
        held,
        ("retry", RUN, "promote-standby", "--as", "ada", "--reason", "why not"),
        "step promote-standby is done; nothing is done twice",
    ),
    "the resuming of a run that has ended": (verified, ("resume", RUN), "has ended"),
}


@pytest.mark.parametrize(("story", "args", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_allowed_now_is_refused_with_3_and_changes_nothing(
    story: object, args: tuple[str, ...], words: str, recover: Recover, state: Path
) -> None:
    assert callable(story)
    keep_run(state, story())
    before = recover("attach", RUN, "-o", "jsonl").out

    told = recover(*args)

    assert told.code == ExitCode.REFUSED
    assert told.err.startswith("refused, nothing was changed: ")
    assert words in told.err
    assert recover("attach", RUN, "-o", "jsonl").out == before


def test_a_world_that_cannot_be_looked_at_leaves_with_3(recover: Recover, state: Path) -> None:
    told = recover(*PLAN)

    assert told.code == ExitCode.REFUSED
    assert told.err.startswith("not possible now, nothing was changed: secret ")
    assert str(state / "lab/secrets") in told.err


def test_content_that_is_not_there_is_said(recover: Recover, tmp_path: Path) -> None:
    told = recover("playbooks", content=tmp_path / "nowhere")

    assert told.code == ExitCode.USAGE
    assert "is no folder; give the one that holds `playbooks/`" in told.err
