"""Lanes: whichever writes hang, one of them waits as long as users would."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from orchestrator.adapters.canary.lanes import MOST_IN_FLIGHT, Lanes
from orchestrator.adapters.postgres_wire import Wire
from tests.support.waiting import wait_until

NEVER_USED = {"host": "127.0.0.1"}


@dataclass(slots=True)
class Silence:
    """A service in which every write hangs until a test gives it up."""

    in_haste: dict[int, bool] = field(default_factory=dict)
    given_up: dict[int, threading.Event] = field(default_factory=dict)

    def write(self, _: Wire, seq: int, in_haste: bool) -> bool:
        self.given_up[seq] = threading.Event()
        self.in_haste[seq] = in_haste
        self.given_up[seq].wait()
        return False


@pytest.fixture
def silence() -> Iterator[Silence]:
    made = Silence()
    yield made
    for hanging in made.given_up.values():
        hanging.set()


def test_all_but_one_are_in_haste(silence: Silence) -> None:
    lanes = Lanes(NEVER_USED, silence.write)

    for seq in range(MOST_IN_FLIGHT):
        send(lanes, silence, seq)

    assert silence.in_haste == {0: False} | dict.fromkeys(range(1, MOST_IN_FLIGHT), True)


def test_next_one_is_patient_when_the_patient_one_was_given_up(silence: Silence) -> None:
    lanes = Lanes(NEVER_USED, silence.write)
    for seq in range(MOST_IN_FLIGHT):
        send(lanes, silence, seq)

    silence.given_up[0].set()
    lanes.await_turn(lambda: False)
    send(lanes, silence, MOST_IN_FLIGHT)

    assert silence.in_haste[MOST_IN_FLIGHT] is False


def send(lanes: Lanes, silence: Silence, seq: int) -> None:
    """Send number *seq* and wait until it hangs, and another one may follow if there is room."""
    lanes.send(seq)
    wait_until(lambda: seq in silence.in_haste, f"write {seq} is under way")
    if seq + 1 < MOST_IN_FLIGHT:
        lanes.await_turn(lambda: False)
