from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.journal_sqlite import SqliteJournal
from orchestrator.adapters.run_folder import RunFolder
from orchestrator.domain.checklist import ItemName, PersonName
from orchestrator.domain.errors import DriverLost, RequestMalformed, RequestRefused
from orchestrator.domain.run import (
    AbortRequested,
    DriverStarted,
    ExitCode,
    ItemSigned,
    RunEnded,
    RunId,
)
from orchestrator.domain.verdict import Verdict
from orchestrator.interfaces.desk import RunDesk
from orchestrator.settings import Settings
from tests.support.builders import RUN
from tests.support.clocks import StoppedClock
from tests.support.kept_runs import keep_run
from tests.support.switchovers import held, verified, waiting
from tests.support.waiting import wait_until

ADA, GRACE, LIN = PersonName("ada"), PersonName("grace"), PersonName("lin")
CHANGE = ItemName("change-approved")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(content=tmp_path, state=tmp_path)


def locks_of(settings: Settings) -> list[str]:
    return [row[0] for row in SqliteJournal(settings.journal, StoppedClock()).locks()]


def test_a_run_is_found_by_its_name_or_as_the_latest(settings: Settings) -> None:
    with pytest.raises(RequestMalformed, match="there is none yet"):
        RunDesk(settings, "latest")
    keep_run(settings.state, verified(), "r-1")
    keep_run(settings.state, held(), "r-2")

    assert RunDesk(settings, "latest").run == "r-2"
    assert RunDesk(settings, "r-1").run == "r-1"
    with pytest.raises(RequestMalformed, match="there is no run r-3; the newest is r-2"):
        RunDesk(settings, "r-3")


def test_the_items_that_wait_are_those_of_the_person_s_role(settings: Settings) -> None:
    keep_run(settings.state, waiting())
    desk = RunDesk(settings, RUN)

    assert desk.items_that_wait() == (CHANGE,)
    assert desk.items_for(GRACE) == (CHANGE,)
    with pytest.raises(RequestRefused, match="does not wait for an answer of lin"):
        desk.items_for(LIN)


def test_an_answer_is_written_with_what_was_shown(settings: Settings) -> None:
    keep_run(settings.state, waiting())
    desk = RunDesk(settings, RUN)

    desk.sign(CHANGE, by=GRACE, verdict=Verdict.FAILED, comment="not tonight")

    newest = desk.entries()[-1].event
    assert isinstance(newest, ItemSigned)
    assert newest.sign_off.verdict is Verdict.FAILED
    assert newest.sign_off.comment == "not tonight"
    assert len(newest.sign_off.shown) == 64


def test_two_who_sign_at_once_are_both_heard(settings: Settings) -> None:
    keep_run(settings.state, waiting())
    desks = [RunDesk(settings, RUN) for _ in range(8)]
    together = threading.Barrier(len(desks))

    def sign(desk: RunDesk) -> None:
        together.wait()
        desk.sign(CHANGE, by=GRACE, verdict=Verdict.FAILED, comment="no")

    threads = [threading.Thread(target=sign, args=(desk,)) for desk in desks]
    before = len(desks[0].entries())
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    entries = desks[0].entries()
    assert [entry.seq for entry in entries] == list(range(1, before + len(desks) + 1))


def test_the_abort_of_a_held_run_ends_it_and_gives_its_locks_back(settings: Settings) -> None:
    keep_run(settings.state, held())
    journal = SqliteJournal(settings.journal, StoppedClock())
    journal.take(["service/orders-db"], run=RUN, holder="ada")
    assert locks_of(settings) == ["service/orders-db"]
    desk = RunDesk(settings, RUN)

    desk.abort(by=ADA, reason="mended by hand")
    wait_until(desk.is_at_rest, "a driver has accounted for it", within_s=60)

    kinds = [type(entry.event) for entry in desk.entries()[-3:]]
    assert kinds == [AbortRequested, DriverStarted, RunEnded]
    assert desk.exit_code() is ExitCode.ABORTED
    assert locks_of(settings) == []


def test_a_run_that_has_ended_takes_no_driver(settings: Settings) -> None:
    keep_run(settings.state, verified())

    with pytest.raises(RequestRefused, match="has ended"):
        RunDesk(settings, RUN).start_driver()


def test_a_run_with_a_driver_takes_no_second_one(settings: Settings) -> None:
    keep_run(settings.state, waiting())
    desk = RunDesk(settings, RUN)

    with RunFolder(settings.state, RUN).driving():
        assert desk.is_driven()
        with pytest.raises(RequestRefused, match="has a driver already"):
            desk.start_driver()
    assert not desk.is_driven()


def test_a_driver_that_ends_at_once_is_not_told_as_one_that_drives(settings: Settings) -> None:
    keep_run(settings.state, waiting())
    plan = settings.state / "runs" / RUN / "plan.json"
    plan.write_text(plan.read_text().replace("database-switchover", "another-playbook"))

    with pytest.raises(DriverLost, match=r"is not the plan that was shown.*recover resume"):
        RunDesk(settings, RUN).start_driver()


def test_looking_whether_a_run_is_driven_never_keeps_a_driver_out(settings: Settings) -> None:
    keep_run(settings.state, waiting())
    folder = RunFolder(settings.state, RUN)
    is_over = threading.Event()

    def look() -> None:
        while not is_over.is_set():
            folder.has_driver()

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(500):
            with folder.driving():
                assert folder.has_driver()
    finally:
        is_over.set()
        for looker in lookers:
            looker.join()


def test_a_run_that_asks_nothing_is_not_waited_for_longer_than_asked(settings: Settings) -> None:
    keep_run(settings.state, held())
    desk = RunDesk(settings, RUN)
    begun = desk.clock.monotonic()

    desk.await_question(timedelta(milliseconds=200))

    assert 0.2 <= desk.clock.monotonic() - begun < 10


def test_a_report_is_written_whole_or_not_at_all(settings: Settings) -> None:
    keep_run(settings.state, verified())
    desk = RunDesk(settings, RUN)

    file = desk.write_report()

    assert file == settings.state / "runs" / RUN / "report.html"
    assert [f.name for f in file.parent.iterdir() if f.name.startswith(".")] == []
    assert RunId(file.parent.name) == RUN
