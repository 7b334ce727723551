from __future__ import annotations

import pytest

from orchestrator.adapters.content.inputs import BoundInputs
from orchestrator.domain.problem import Path
from tests.support.kinds import PROBE_INPUTS

INPUTS = BoundInputs(PROBE_INPUTS)


def test_bound_inputs_come_back_as_their_adapter_wants_them() -> None:
    given = {"on": "db-a1", "run": ["true"], "settle": 90.0, "exit_code": None}

    assert INPUTS.check("ssh", given) == (given, ())


def test_number_that_was_bound_from_text_becomes_a_number() -> None:
    inputs, faults = INPUTS.check("ssh", {"on": "db-a1", "run": ["true"], "exit_code": "3"})

    assert faults == ()
    assert inputs["exit_code"] == 3


@pytest.mark.parametrize(
    ("kind", "inputs", "path", "phrase"),
    [
        pytest.param(
            "ssh",
            {"on": "db-a1", "run": [5432]},
            ("run", 0),
            "text is wanted",
            id="a number among the arguments",
        ),
        pytest.param(
            "sql", {"on": "db-a1", "query": 5}, ("query",), "text is wanted", id="a query of 5"
        ),
        pytest.param(
            "sql", {"on": "db-a1", "query": " "}, (), "asks nothing", id="an empty query"
        ),
        pytest.param("sql", {"on": "db-a1"}, ("query",), "is missing", id="no query"),
        pytest.param(
            "http", {"url": "x", "jsn": {}}, ("jsn",), "did you mean `json`?", id="a misspelling"
        ),
    ],
)
def test_what_does_not_fit_after_binding_is_told_by_path(
    kind: str, inputs: dict[str, object], path: Path, phrase: str
) -> None:
    back, (fault,) = INPUTS.check(kind, inputs)

    assert back == inputs
    assert fault.path == path
    assert phrase in f"{fault.what}, {fault.why}, {fault.remedy}"
