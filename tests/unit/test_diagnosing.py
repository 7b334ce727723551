"""From what was seen to one ailment and one decision, by table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.diagnosis import (
    GONE,
    Ailment,
    Decision,
    Diagnosis,
    Examination,
    Machine,
)
from orchestrator.engine.diagnosing import diagnose
from tests.support.examinations import (
    MIB,
    WELL,
    a_sight,
    an_examination,
    deaf,
    hears,
    unheard,
    writable,
)

HEALTHY, HUNG, REFUSED = Ailment.HEALTHY, Ailment.HUNG, Ailment.REFUSED
BLACK_HOLED, UNKNOWN = Ailment.BLACK_HOLED, Ailment.UNKNOWN
SILENT_STANDBYS = (deaf("db-a2"), deaf("db-b1"))
UNREACHED = Machine(is_reached=False, detail="does not answer over SSH")
FULL = replace(WELL, full_disk="/var/lib/postgresql", detail="/var/lib/postgresql is full")
SILENT_FOR = timedelta(seconds=10)


def concluded(seen: Examination, *, objective_s: float = 0) -> Diagnosis:
    return diagnose(seen, silent_for=SILENT_FOR, objective=timedelta(seconds=objective_s))


@pytest.mark.parametrize(
    ("seen", "ailment", "decision", "told"),
    [
        pytest.param(
            an_examination(),
            HEALTHY,
            Decision.REFUSE,
            "healthy: it takes writes, seen from controller, pool-a1 and client-1. "
            "Do not fail over: use database-switchover if the role is to move",
            id="a primary that is well",
        ),
        pytest.param(
            an_examination(testimonies=(hears("db-a2"), deaf("db-b1"))),
            HEALTHY,
            Decision.REFUSE,
            "client-1, though db-b1 hears nothing",
            id="one of two standbys is cut off",
        ),
        pytest.param(
            an_examination(testimonies=(unheard("db-a2"),)),
            HEALTHY,
            Decision.REFUSE,
            "takes writes",
            id="a healthy primary needs no standby to say so",
        ),
        pytest.param(
            an_examination(HEALTHY, UNKNOWN, UNKNOWN),
            HEALTHY,
            Decision.REFUSE,
            "seen from controller",
            id="one place that writes is enough to refuse",
        ),
        pytest.param(
            an_examination(testimonies=SILENT_STANDBYS),
            Ailment.UNREPLICATED,
            Decision.REFUSE,
            "it takes writes, and not heard by db-a2 and db-b1",
            id="only the replication is cut, asynchronous",
        ),
        pytest.param(
            an_examination(*[Ailment.UNREPLICATED] * 3, testimonies=SILENT_STANDBYS),
            Ailment.UNREPLICATED,
            Decision.REFUSE,
            "heal the replication network",
            id="only the replication is cut, synchronous",
        ),
        pytest.param(
            an_examination(HEALTHY, Ailment.SLOW, HEALTHY),
            Ailment.SLOW,
            Decision.REFUSE,
            "seen from pool-a1: it is slow",
            id="the worst answer counts",
        ),
        pytest.param(
            an_examination(*[Ailment.READ_ONLY] * 3),
            Ailment.READ_ONLY,
            Decision.REFUSE,
            "set that back",
            id="it takes no writes",
        ),
        pytest.param(
            an_examination(*[Ailment.REJECTED] * 3, testimonies=SILENT_STANDBYS),
            Ailment.REJECTED,
            Decision.REFUSE,
            "wait if it starts up",
            id="it turns everybody away",
        ),
        pytest.param(
            an_examination(*[Ailment.DISK_FULL] * 3),
            Ailment.DISK_FULL,
            Decision.REFUSE,
            "it is disk-full. Do not fail over: make room on db-a1",
            id="it says itself that its disk is full",
        ),
        pytest.param(
            an_examination(*[REFUSED] * 3, testimonies=SILENT_STANDBYS, machine=FULL),
            Ailment.DISK_FULL,
            Decision.REFUSE,
            "/var/lib/postgresql is full. Do not fail over: make room at /var/lib/postgresql on",
            id="it fell over its full disk",
        ),
        pytest.param(
            an_examination(HEALTHY, BLACK_HOLED, BLACK_HOLED),
            Ailment.PARTLY_HEARD,
            Decision.REFUSE,
            "healthy from controller, but black-holed from pool-a1 and client-1. "
            "Do not fail over: heal the network from pool-a1 and client-1 to db-a1",
            id="only the client side is cut",
        ),
        pytest.param(
            an_examination(users=REFUSED),
            Ailment.ENTRY_DEAD,
            Decision.REFUSE,
            "users do not come through orders-pool/pool-a1: it is refused. "
            "Do not fail over: restart orders-pool/pool-a1",
            id="the pooler is dead",
        ),
        pytest.param(
            an_examination(users=HEALTHY),
            HEALTHY,
            Decision.REFUSE,
            "takes writes",
            id="users come through",
        ),
        pytest.param(
            an_examination(users=UNKNOWN),
            HEALTHY,
            Decision.REFUSE,
            "takes writes",
            id="nobody could look as users do",
        ),
        pytest.param(
            an_examination(*[REFUSED] * 3, testimonies=SILENT_STANDBYS, machine=UNREACHED),
            REFUSED,
            Decision.FAIL_OVER,
            "refused: refused from controller, pool-a1 and client-1; not heard by db-a2 and "
            "db-b1. Fail over: fence it first",
            id="nothing listens there",
        ),
        pytest.param(
            an_examination(*[HUNG] * 3, testimonies=(deaf("db-a2"), hears("db-b1", 11))),
            HUNG,
            Decision.FAIL_OVER,
            "not heard by db-a2 and db-b1",
            id="it hangs for longer than the limit",
        ),
        pytest.param(
            an_examination(*[BLACK_HOLED] * 3, testimonies=SILENT_STANDBYS, machine=UNREACHED),
            BLACK_HOLED,
            Decision.FAIL_OVER,
            "fence it first",
            id="it is black-holed",
        ),
        pytest.param(
            an_examination(BLACK_HOLED, REFUSED, HUNG, testimonies=SILENT_STANDBYS),
            HUNG,
            Decision.FAIL_OVER,
            "black-holed from controller, refused from pool-a1, hung from client-1",
            id="silences of different kinds",
        ),
        pytest.param(
            an_examination(REFUSED, REFUSED, UNKNOWN, testimonies=SILENT_STANDBYS),
            REFUSED,
            Decision.FAIL_OVER,
            "refused from controller and pool-a1",
            id="two places are enough",
        ),
        pytest.param(
            an_examination(*[REFUSED] * 3, testimonies=(deaf("db-a2"), unheard("db-b1"))),
            REFUSED,
            Decision.FAIL_OVER,
            "not heard by db-a2 (db-b1 could not be asked)",
            id="one of two standbys cannot be asked",
        ),
        pytest.param(
            an_examination(*[HUNG] * 3, testimonies=(deaf("db-a2"), hears("db-b1", 0.4))),
            HUNG,
            Decision.REFUSE,
            "hung from controller, pool-a1 and client-1, but db-b1 heard it 0.4 s ago. "
            "Do not fail over: look again in 10 s; still heard then, heal the network from",
            id="a standby has just heard it",
        ),
        pytest.param(
            an_examination(REFUSED, UNKNOWN, UNKNOWN, testimonies=SILENT_STANDBYS),
            UNKNOWN,
            Decision.HOLD,
            "only refused from controller did (pool-a1: it is unknown; client-1: it is unknown)",
            id="one place alone may be cut off itself",
        ),
        pytest.param(
            an_examination(UNKNOWN, UNKNOWN, UNKNOWN, testimonies=SILENT_STANDBYS),
            UNKNOWN,
            Decision.HOLD,
            "only none did",
            id="nobody could look",
        ),
        pytest.param(
            an_examination(*[REFUSED] * 3, testimonies=(unheard("db-a2"), unheard("db-b1"))),
            REFUSED,
            Decision.HOLD,
            "no standby could be asked (orders-db/db-a2: does not answer",
            id="no standby testifies",
        ),
        pytest.param(
            an_examination(*[REFUSED] * 3, testimonies=()),
            REFUSED,
            Decision.HOLD,
            "there is none",
            id="there is no standby",
        ),
        pytest.param(
            an_examination(*[REFUSED] * 3, testimonies=(deaf("db-a2"), writable("db-b1"))),
            REFUSED,
            Decision.HOLD,
            "db-b1 takes writes itself",
            id="somebody was promoted already",
        ),
        pytest.param(
            an_examination(*[BLACK_HOLED] * 3, testimonies=SILENT_STANDBYS, users=HEALTHY),
            Ailment.PARTLY_HEARD,
            Decision.REFUSE,
            "users write through orders-pool/pool-a1",
            id="users are served all the same",
        ),
        pytest.param(
            an_examination(*[REFUSED] * 3, testimonies=SILENT_STANDBYS, users=Ailment.REJECTED),
            REFUSED,
            Decision.FAIL_OVER,
            "fence it first",
            id="users are not served either",
        ),
    ],
)
def test_what_is_seen_has_one_name_and_one_consequence(
    seen: Examination, ailment: Ailment, decision: Decision, told: str
) -> None:
    diagnosis = concluded(seen)

    assert (diagnosis.ailment, diagnosis.decision) == (ailment, decision)
    assert told in diagnosis.summary


@pytest.mark.parametrize(
    ("machine", "objective_s", "told"),
    [
        pytest.param(UNREACHED, 5, "Fail over: fence it first", id="the machine is gone, too"),
        pytest.param(
            WELL, 5, "a restart in place may be quicker", id="where replay begins, unknown"
        ),
        pytest.param(
            replace(WELL, redo_bytes=40 * MIB), 0, "60 MiB to replay, some 3 s", id="no objective"
        ),
        pytest.param(
            replace(WELL, redo_bytes=40 * MIB), 5, "within the objective of 5 s", id="quick enough"
        ),
        pytest.param(
            replace(WELL, redo_bytes=40 * MIB), 2, "over the objective of 2 s", id="too slow"
        ),
        pytest.param(
            replace(WELL, redo_bytes=200 * MIB), 5, "0 MiB to replay", id="standbys lag behind it"
        ),
    ],
)
def test_a_restart_in_place_is_weighed_where_the_machine_answers(
    machine: Machine, objective_s: float, told: str
) -> None:
    standbys = (deaf("db-a2", received_bytes=100 * MIB), deaf("db-b1"))
    seen = an_examination(*[REFUSED] * 3, testimonies=standbys, machine=machine)

    diagnosis = concluded(seen, objective_s=objective_s)

    assert diagnosis.decision is Decision.FAIL_OVER
    assert diagnosis.advice.endswith(told) or told in diagnosis.summary
    assert ("restart" in diagnosis.advice) is machine.is_reached


@given(
    ailments=st.lists(
        st.sampled_from(
            [a for a in Ailment if a not in {Ailment.PARTLY_HEARD, Ailment.ENTRY_DEAD}]
        ),
        min_size=3,
        max_size=3,
    ),
    ages=st.lists(st.none() | st.floats(0, 30), max_size=2),
    users=st.none() | st.sampled_from(Ailment),
)
def test_a_primary_that_anybody_hears_is_never_given_up(
    ailments: list[Ailment], ages: list[float | None], users: Ailment | None
) -> None:
    names = ("db-a2", "db-b1")
    said = (deaf(n) if age is None else hears(n, age) for n, age in zip(names, ages, strict=False))
    seen = an_examination(*ailments, testimonies=tuple(said), users=users)

    diagnosis = concluded(seen)

    if diagnosis.decision is Decision.FAIL_OVER:
        assert not any(sight.is_answered for sight in seen.sights)
        assert sum(sight.ailment in GONE for sight in seen.sights) >= 2
        assert seen.testimonies
        assert all(t.heard_ago is None or t.heard_ago > SILENT_FOR for t in seen.testimonies)
        assert diagnosis.ailment in GONE


def test_a_place_that_could_not_look_says_nothing() -> None:
    blind = a_sight("pool-a1", UNKNOWN)

    assert not blind.has_looked
    assert not blind.is_answered
