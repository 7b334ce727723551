"""Domain values to plain JSON and back: nothing may be lost or changed on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.plain_values import (
    event_from_text,
    event_to_text,
    measurement_from,
    plan_from_text,
    plan_to_text,
)
from orchestrator.domain.canonical import plain
from orchestrator.domain.errors import JournalBroken
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.run import Event, Measured
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.planning import make_plan
from tests.support.builders import a_measurement, finished
from tests.support.data_centers import SOUND, written
from tests.support.recoveries import a_switchover

# What UTF-8 can hold: a lone surrogate has no bytes.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
TIMES = st.datetimes(timezones=st.just(UTC))
DURATIONS = st.timedeltas(timedelta(0), timedelta(days=1000))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)

st.register_type_strategy(str, TEXTS)
st.register_type_strategy(datetime, TIMES)
st.register_type_strategy(timedelta, DURATIONS)
st.register_type_strategy(
    Measured, st.builds(Measured, measurement=st.dictionaries(TEXTS, PLAIN), samples_file=TEXTS)
)


@given(st.one_of([st.from_type(kind) for kind in get_args(Event)]))
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    assert event_from_text(*event_to_text(event)) == event


@given(st.from_type(Evidence))
def test_evidence_keeps_its_digest(evidence: Evidence) -> None:
    event = finished(evidence=evidence)

    assert event_from_text(*event_to_text(event)) == event


def test_plan_comes_back_with_its_digest() -> None:
    for plan in (a_switchover(), make_plan(written(), {}, SOUND)):
        assert plan_from_text(plan_to_text(plan)).digest == plan.digest


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param("StepExploded", "{}", id="an unknown kind"),
        pytest.param("StepIntended", "{}", id="a missing field"),
        pytest.param("StepIntended", '{"step": "a"', id="a torn line"),
        pytest.param("StepIntended", '{"step": ["a"], "attempt": 1}', id="a wrong type"),
    ],
)
def test_event_that_was_damaged_breaks_the_journal(kind: str, text: str) -> None:
    with pytest.raises(JournalBroken):
        event_from_text(kind, text)


def test_measurement_comes_back_as_it_was() -> None:
    measurement = a_measurement()
    stored = json.loads(json.dumps(plain(measurement)))

    assert measurement_from(stored) == measurement


def test_run_that_nobody_watched_has_no_measurement() -> None:
    assert measurement_from({"doubts": ["client-1: no route to host"]}) is None


def test_times_keep_their_instant_whatever_the_zone() -> None:
    there = timezone(timedelta(hours=8))
    at = datetime(2026, 1, 2, 20, tzinfo=there)
    event = finished(evidence=Evidence(verdict=Verdict.PASSED, summary="", at=at))

    assert event_from_text(*event_to_text(event)) == event
