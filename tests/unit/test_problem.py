from __future__ import annotations

from orchestrator.domain.problem import Position, Problem


def test_problem_reads_as_place_what_why_and_remedy() -> None:
    problem = Problem(
        position=Position("playbook.yaml", 3, 7),
        what="`quer` is not known in `sql`",
        why="an unknown key would be ignored in silence",
        remedy="did you mean `query`?",
    )

    assert str(problem) == (
        "playbook.yaml:3:7: `quer` is not known in `sql`, "
        "an unknown key would be ignored in silence, did you mean `query`?"
    )
