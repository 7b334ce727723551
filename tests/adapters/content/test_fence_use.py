"""A playbook that fences, in an environment that may not be able to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.adapters.content.crossings import lint_pair
from orchestrator.domain.checklist import Checklist, ItemName, Waive
from orchestrator.domain.environment import Environment, Fence, FenceLayer, FenceName
from orchestrator.domain.playbook import Action, ChecklistName
from orchestrator.domain.problem import Path
from tests.support.builders import an_item
from tests.support.data_centers import ORDERS, a_data_center
from tests.support.playbooks import a_fence, a_playbook

SERVICE, NETWORK, POWER = FenceLayer


def an_environment(*layers: FenceLayer) -> Environment:
    """A data center whose database has a fence of each of *layers*, that may take 4 s."""
    environment = a_data_center()
    made = tuple(
        Fence(
            fence=FenceName(layer),
            layer=layer,
            within=timedelta(seconds=4),
            kind="agent",
            inputs={},
        )
        for layer in layers
    )
    database = replace(environment.services[ORDERS], fences=made)
    return replace(environment, services={**environment.services, ORDERS: database})


def lint(
    environment: Environment,
    checklists: Mapping[ChecklistName, Checklist] | None = None,
    **inputs: object,
) -> list[tuple[Path, str]]:
    """Return what is wrong with a step of 10 s that fences."""
    fencing = Action(kind="fence", inputs={"on": "${database.primary}", **inputs})
    playbook = a_playbook(replace(a_fence(), action=fencing))
    findings = lint_pair(playbook, checklists or {}, environment)
    return [(found.fault.path, found.fault.what) for found in findings]


@pytest.mark.parametrize("only", [[], ["power"], ["service"], "${which}"])
def test_fences_that_there_are_and_that_have_their_turn_are_in_order(only: object) -> None:
    assert lint(an_environment(NETWORK, POWER), only=only) == []


def test_an_environment_without_fences_cannot_fence() -> None:
    assert lint(an_environment()) == [(("steps", 0, "fence"), "`test` has no fences")]


def test_the_last_fence_must_have_its_turn() -> None:
    ((path, what),) = lint(an_environment(SERVICE, NETWORK, POWER))

    assert path == ("steps", 0, "time_limit")
    assert what == "`stop-old-primary` has less time than its fences in `test`"


def test_there_must_be_people_to_waive() -> None:
    item = replace(an_item("same-version"), waive=Waive(role="service-manager", people=2))
    gate = Checklist(checklist=ChecklistName("preflight"), title="Now?", items=(item,))

    ((path, what),) = lint(an_environment(POWER), {gate.checklist: gate})

    assert path == ("items", 0, "waive", "role")
    assert "0 people with the role `service-manager`" in what
    assert item.item == ItemName("same-version")
