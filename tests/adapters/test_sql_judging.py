"""From rows to verdicts, by table."""

from __future__ import annotations

import pytest

from orchestrator.adapters.inputs import parse
from orchestrator.adapters.probes.judgement import Judgement
from orchestrator.adapters.probes.sql_inputs import SqlProbeInputs
from orchestrator.adapters.probes.sql_judging import MemberLook, judge
from orchestrator.adapters.sql_statements import Answer, Row
from orchestrator.adapters.trouble import Trouble, TroubleKind
from orchestrator.domain.errors import ContentInvalid
from orchestrator.domain.verdict import Verdict

HUNG = Trouble(kind=TroubleKind.HUNG, detail="db/c: no answer within 2.0 s")


def rows(*of_member: Row) -> Answer:
    return Answer(rows=of_member, status="SELECT")


def judged(answers: dict[str, Answer | Trouble], **inputs: object) -> Judgement:
    wanted = parse(SqlProbeInputs, {"on": list(answers), "query": "q", **inputs})
    return judge(wanted, [MemberLook(member=m, answer=a) for m, a in answers.items()])


def primary(is_primary: bool) -> Answer:
    return rows({"writable": is_primary})


@pytest.mark.parametrize(
    ("answers", "inputs", "verdict", "summary"),
    [
        pytest.param(
            {"a": rows({"lag": 3})},
            {"row": {"lag": {"at_most": 5}}},
            Verdict.PASSED,
            "a: lag=3",
            id="a value within bounds",
        ),
        pytest.param(
            {"a": rows({"lag": 9})},
            {"row": {"lag": {"at_most": 5}}},
            Verdict.FAILED,
            "a: lag is 9, wanted at most 5",
            id="a value out of bounds",
        ),
        pytest.param(
            {"a": rows({"lag": None})},
            {"row": {"lag": {"at_most": 5}}},
            Verdict.FAILED,
            "a: lag is nothing, wanted at most 5",
            id="null is no small number",
        ),
        pytest.param(
            {"a": rows()},
            {"row": {"lag": {"at_most": 5}}},
            Verdict.FAILED,
            "a: no row",
            id="no row is no pass",
        ),
        pytest.param(
            {"a": rows({"other": 1})},
            {"row": {"lag": 1}},
            Verdict.FAILED,
            "a: the answer has no column lag",
            id="a column that is not there",
        ),
        pytest.param(
            {"a": HUNG},
            {"row": {"lag": 1}},
            Verdict.INCONCLUSIVE,
            "hung: db/c: no answer within 2.0 s",
            id="silence",
        ),
        pytest.param(
            {"a": rows()}, {"rows": 0}, Verdict.PASSED, "a: 0 rows", id="none wanted, none there"
        ),
        pytest.param(
            {"a": rows(*({"pid": n} for n in range(7)))},
            {"rows": 0},
            Verdict.FAILED,
            "a: number of rows is 7, not 0 (pid=0, pid=1, pid=2, pid=3, pid=4 and 2 more)",
            id="offending rows are listed",
        ),
        pytest.param(
            {"a": rows({"name": "x", "paused": 0}, {"name": "shop", "paused": 1})},
            {"where": {"name": "shop"}, "row": {"paused": 1}},
            Verdict.PASSED,
            "a: paused=1",
            id="a row that is chosen by its columns",
        ),
        pytest.param(
            {"a": rows({"name": "x"})},
            {"where": {"nome": "x"}, "row": {"name": "x"}},
            Verdict.FAILED,
            "a: no row",
            id="a choice by a column that is not there",
        ),
        pytest.param(
            {"a": primary(True), "b": primary(False), "c": primary(False)},
            {"row": {"writable": True}, "exactly": 1},
            Verdict.PASSED,
            "a: writable=True",
            id="exactly one of three",
        ),
        pytest.param(
            {"a": primary(True), "b": primary(True), "c": HUNG},
            {"row": {"writable": True}, "exactly": 1},
            Verdict.FAILED,
            "2 of 3 (a, b), not 1; hung: db/c: no answer within 2.0 s",
            id="too many already",
        ),
        pytest.param(
            {"a": primary(True), "c": HUNG},
            {"row": {"writable": True}, "exactly": 1},
            Verdict.INCONCLUSIVE,
            "hung: db/c: no answer within 2.0 s",
            id="the silent one may be a second",
        ),
        pytest.param(
            {"a": primary(False), "b": primary(False)},
            {"row": {"writable": True}, "exactly": 1},
            Verdict.FAILED,
            "0 of 2 (none), not 1; a: writable is false, not true; b: writable is false, not true",
            id="none at all",
        ),
        pytest.param(
            {"a": rows({"id": 7}), "b": rows({"id": 8})},
            {"same": ["id"]},
            Verdict.FAILED,
            "id is 7 on a, 8 on b",
            id="members that differ",
        ),
        pytest.param(
            {"a": rows({"id": 7}), "b": HUNG},
            {"same": ["id"]},
            Verdict.INCONCLUSIVE,
            "hung: db/c: no answer within 2.0 s",
            id="nobody to compare with",
        ),
        pytest.param(
            {"a": rows({"max": "100"}), "b": rows({"max": "90"})},
            {"not_below_first": ["max"]},
            Verdict.FAILED,
            "max is 90 on b, below 100 on a",
            id="a smaller number, written as text",
        ),
        pytest.param(
            {"a": rows({"max": "100"}), "b": rows({"max": "1000"})},
            {"not_below_first": ["max"]},
            Verdict.PASSED,
            "a: max=100; b: max=1000",
            id="a bigger number",
        ),
        pytest.param(
            {"a": rows({"max": 100}), "b": rows({"max": None})},
            {"not_below_first": ["max"]},
            Verdict.FAILED,
            "max is None on b, below 100 on a",
            id="nothing is below everything",
        ),
        pytest.param(
            {
                "a": rows({"received": 100}),
                "b": rows({"received": 100}),
                "c": rows({"received": 101}),
            },
            {"not_above_first": ["received"]},
            Verdict.FAILED,
            "received is 101 on c, above 100 on a",
            id="somebody is ahead of the first",
        ),
        pytest.param(
            {"a": rows({"received": 100}), "b": rows({"received": "99"})},
            {"not_above_first": ["received"]},
            Verdict.PASSED,
            "a: received=100; b: received=99",
            id="nobody is ahead of the first",
        ),
        pytest.param(
            {"a": rows({"received": 100}), "b": rows({"received": None})},
            {"not_above_first": ["received"]},
            Verdict.FAILED,
            "received is None on b, above 100 on a",
            id="nothing cannot be compared",
        ),
    ],
)
def test_answers_are_weighed(
    answers: dict[str, Answer | Trouble], inputs: dict[str, object], verdict: Verdict, summary: str
) -> None:
    judgement = judged(answers, **inputs)

    assert (judgement.verdict, judgement.summary) == (verdict, summary)


def test_values_are_kept_as_text() -> None:
    judgement = judged(
        {"a": rows({"lsn": "0/3000060", "timeline": 7, "up": True})},
        keep={"stop_lsn": "lsn", "old_timeline": "timeline", "was_up": "up"},
    )

    assert judgement.kept == {"stop_lsn": "0/3000060", "old_timeline": "7", "was_up": "true"}


def test_nothing_cannot_be_kept() -> None:
    judgement = judged({"a": rows({"lsn": None})}, keep={"stop_lsn": "lsn"})

    assert judgement.verdict is Verdict.FAILED
    assert judgement.kept == {}


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"on": "a", "query": "q"}, "expects nothing"),
        ({"on": [], "query": "q", "rows": 0}, "looks at nobody"),
        ({"on": "a", "query": "q", "rwo": {"a": 1}}, "rwo"),
        ({"on": "a", "query": "q", "row": {"a": {"at_mots": 1}}}, "at_mots"),
    ],
    ids=["no expectation", "no member", "unknown key", "unknown condition"],
)
def test_inputs_that_could_pass_by_mistake_are_refused(
    inputs: dict[str, object], reason: str
) -> None:
    with pytest.raises(ContentInvalid, match=reason):
        parse(SqlProbeInputs, inputs)
