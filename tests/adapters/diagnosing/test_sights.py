"""Real primaries with real ailments, looked at from here and through a real SSH server."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.adapters.diagnosing.limits import WHOLE_LIMIT
from orchestrator.adapters.diagnosing.writing import ailment_of
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.trouble import Trouble, TroubleKind
from orchestrator.domain.diagnosis import Ailment, Witness
from orchestrator.domain.environment import HostName
from tests.support.clinics import Clinic, a_black_hole, ailments, details, setting, with_primary_at
from tests.support.real_postgresql import RealPostgresql
from tests.support.real_sshd import real_sshd
from tests.support.waiting import wait_until

SLACK_S = 0.5
"""What a busy machine may add to the time that an examination takes."""


def test_a_healthy_primary_takes_a_write_from_everywhere_and_keeps_none(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    seen = clinic.examine()

    assert [sight.place for sight in seen.sights] == ["controller", "pool-a1", "client-1"]
    assert ailments(seen) == [Ailment.HEALTHY] * 3
    with primary.connect() as session:
        assert session.execute("select count(*) from recover_marker").fetchone() == (0,)


def test_a_frozen_primary_hangs_and_its_standby_has_heard_it_lately(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    primary.freeze()
    try:
        started = time.monotonic()
        seen = clinic.examine()
        took_s = time.monotonic() - started
    finally:
        primary.thaw()

    assert ailments(seen) == [Ailment.HUNG] * 3
    assert took_s < WHOLE_LIMIT.total_seconds() + SLACK_S
    [testimony] = seen.testimonies
    assert testimony.heard_ago is not None
    assert testimony.heard_ago.total_seconds() > 0


def test_where_nobody_answers_the_connect_is_a_black_hole(clinic: Clinic) -> None:
    with a_black_hole() as port:
        started = time.monotonic()
        seen = with_primary_at(clinic, port).examine()
        took_s = time.monotonic() - started

    assert ailments(seen) == [Ailment.BLACK_HOLED] * 3
    assert took_s < WHOLE_LIMIT.total_seconds() + SLACK_S


def test_a_place_that_is_silent_itself_has_not_looked(clinic: Clinic) -> None:
    with a_black_hole() as port:
        seen = with_primary_at(clinic, port).examine("place-silent", "place-gone", "pool-a1")

    assert ailments(seen) == [
        Ailment.BLACK_HOLED,
        Ailment.UNKNOWN,
        Ailment.UNKNOWN,
        Ailment.BLACK_HOLED,
    ]
    assert all("did not look" in sight.detail for sight in seen.sights if not sight.has_looked)


def test_a_place_that_may_not_open_tunnels_has_not_looked(clinic: Clinic, tmp_path: Path) -> None:
    with real_sshd(tmp_path, "AllowTcpForwarding no") as strict:
        hosts = {**clinic.environment.hosts, HostName("strict"): strict.host("strict")}
        there = Clinic(
            environment=replace(clinic.environment, hosts=hosts, ssh=strict.ssh),
            secrets=SecretStore(strict.folder),
        )
        seen = there.examine("strict")

    assert ailments(seen) == [Ailment.HEALTHY, Ailment.UNKNOWN]
    assert "administratively prohibited" in seen.sights[1].detail


def test_a_read_only_primary_names_the_setting(clinic: Clinic, primary: RealPostgresql) -> None:
    with setting(primary, "default_transaction_read_only", "on"):
        seen = clinic.examine()

    assert ailments(seen) == [Ailment.READ_ONLY] * 3
    assert details(seen) == {"default_transaction_read_only is on (by configuration file)"}


def test_a_standby_in_the_place_of_the_primary_says_so(clinic: Clinic) -> None:
    seen = clinic.examine("pool-a1", on="db-a2", standbys=("db-a1", "db-down"))

    assert ailments(seen) == [Ailment.READ_ONLY] * 2
    assert details(seen) == {"it is a standby"}
    assert [t.witness for t in seen.testimonies] == [Witness.WRITABLE, Witness.UNHEARD]


def test_a_commit_that_only_waits_for_a_standby_is_told_apart_and_does_not_stay(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    with setting(primary, "synchronous_standby_names", "nobody"):
        started = time.monotonic()
        seen = clinic.examine()
        took_s = time.monotonic() - started

        assert ailments(seen) == [Ailment.UNREPLICATED] * 3
        assert took_s < WHOLE_LIMIT.total_seconds() + SLACK_S
        wait_until(lambda: not _sessions_that_wait(primary), "no session that waits")


def test_a_write_that_waits_for_a_lock_is_slow_and_says_for_what(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    with primary.connect() as session, session.transaction():
        session.execute("lock table recover_marker in exclusive mode")
        seen = clinic.examine("pool-a1")

    assert ailments(seen) == [Ailment.SLOW] * 2
    assert all("it waits for Lock relation" in sight.detail for sight in seen.sights)


def test_a_write_that_takes_more_than_a_second_is_slow(
    clinic: Clinic, primary: RealPostgresql
) -> None:
    primary.execute(
        "create function dawdle() returns trigger language plpgsql as"
        " 'begin perform pg_sleep(1.1); return new; end'",
        "create trigger slow before insert on recover_marker execute function dawdle()",
    )
    try:
        seen = clinic.examine("pool-a1")
    finally:
        primary.execute("drop trigger slow on recover_marker", "drop function dawdle")

    assert ailments(seen) == [Ailment.SLOW] * 2
    assert all(sight.detail.startswith("took 1.") for sight in seen.sights)


def test_a_server_that_turns_us_away_answers(clinic: Clinic) -> None:
    seen = clinic.examine("pool-a1", account="stranger")

    assert ailments(seen) == [Ailment.REJECTED] * 2
    assert all('role "nobody" does not exist' in sight.detail for sight in seen.sights)


def test_without_an_account_nobody_has_looked(clinic: Clinic) -> None:
    seen = clinic.examine("pool-a1", account="canary")

    assert ailments(seen) == [Ailment.UNKNOWN] * 2
    assert details(seen) == {"did not look: orders-db has no account 'canary'"}


@pytest.mark.parametrize(
    ("is_open", "ailment"),
    [
        pytest.param(True, Ailment.HEALTHY, id="users come through"),
        pytest.param(False, Ailment.REFUSED, id="the entry is down"),
    ],
)
def test_users_are_followed_through_their_entry(
    clinic: Clinic, primary: RealPostgresql, closed_port: int, is_open: bool, ailment: Ailment
) -> None:
    entered = clinic.entered_at(primary.port if is_open else closed_port)
    watch = replace(entered.environment.watch, host=HostName("client-1"))
    entered = replace(entered, environment=replace(entered.environment, watch=watch))

    seen = entered.examine()

    assert seen.entry == "orders-pool/pool-a1"
    assert seen.users is not None
    assert (seen.users.place, seen.users.ailment) == ("client-1", ailment)
    assert ailments(seen) == [Ailment.HEALTHY] * 3


@pytest.mark.parametrize(
    ("trouble", "ailment"),
    [
        pytest.param(
            Trouble(kind=TroubleKind.ERROR, detail="no space", code="53100"),
            Ailment.DISK_FULL,
            id="a file cannot grow",
        ),
        pytest.param(
            Trouble(kind=TroubleKind.LOST, detail="it is shutting down", code="57P01"),
            Ailment.REJECTED,
            id="a farewell",
        ),
        pytest.param(
            Trouble(kind=TroubleKind.LOST, detail="the connection broke"),
            Ailment.UNKNOWN,
            id="a connection that broke without a word",
        ),
        pytest.param(
            Trouble(kind=TroubleKind.UNREACHABLE, detail="db-a1: Network is unreachable"),
            Ailment.UNKNOWN,
            id="no way there from here",
        ),
        pytest.param(
            Trouble(kind=TroubleKind.ERROR, detail="permission denied", code="42501"),
            Ailment.REJECTED,
            id="a refusal in words",
        ),
    ],
)
def test_what_a_member_answers_has_one_name(trouble: Trouble, ailment: Ailment) -> None:
    assert ailment_of(trouble) is ailment


def _sessions_that_wait(server: RealPostgresql) -> bool:
    with server.connect() as session:
        query = "select from pg_stat_activity where wait_event = 'SyncRep'"
        return bool(session.execute(query).rowcount)
