from __future__ import annotations

import json
from dataclasses import replace
from uuid import uuid4

from orchestrator.adapters.canary.samples import read_samples
from orchestrator.adapters.canary.spec import CanarySpec, WalkSpec, write_spec
from orchestrator.domain.observation import Walk
from tests.support.real_canary import call


def test_journey_is_walked_so_often_in_a_row(walks: WalkSpec) -> None:
    spec = CanarySpec(run=f"row-{uuid4().hex[:8]}", walks=walks)

    called = call("walk", "--times", "5", stdin=write_spec(spec))

    samples = [s for s in read_samples(called.stdout.splitlines()) if isinstance(s, Walk)]
    assert [(walk.number, walk.passed, walk.error) for walk in samples] == [
        (number, True, "") for number in range(1, 6)
    ]
    assert len({receipt for walk in samples for receipt in walk.receipts}) == 5


def test_second_row_of_a_run_has_references_of_its_own(walks: WalkSpec) -> None:
    spec = write_spec(CanarySpec(run=f"row-{uuid4().hex[:8]}", walks=walks))

    for _ in range(2):
        line = json.loads(call("walk", stdin=spec).stdout)
        assert (line["outcome"], line.get("error")) == ("passed", None)


def test_failed_walk_does_not_end_the_row(walks: WalkSpec) -> None:
    wrong = replace(walks.surroundings, secrets={"synthetic-user": "wrong"})
    spec = CanarySpec(run="row", walks=replace(walks, surroundings=wrong))

    called = call("walk", "--times", "2", stdin=write_spec(spec))

    lines = [json.loads(line) for line in called.stdout.splitlines()]
    assert [(line["action"], line["error"]) for line in lines] == [
        ("log-in", "status is 401, not 200")
    ] * 2
