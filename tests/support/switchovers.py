"""Switchovers that went well, badly and strangely, told event by event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from orchestrator.domain.checklist import Level, PersonName
from orchestrator.domain.environment import Person
from orchestrator.domain.plan import BoundInvariant, Plan
from orchestrator.domain.playbook import Action, Effect, GateStop, Step, Undo
from orchestrator.domain.run import (
    AbortRequested,
    ExitCode,
    GateOpened,
    GateWaits,
    Outcome,
    PriorStateChecked,
    RunHeld,
    WatchFailed,
)
from orchestrator.domain.verdict import Verdict
from tests.support.builders import (
    A_PROBE,
    ADA,
    GRACE,
    PREFLIGHT,
    a_checklist,
    a_journey_verification,
    a_plan,
    a_step,
    after,
    an_environment,
    an_item,
    intended,
    some_evidence,
)
from tests.support.stories import (
    HOSTILE,
    NO_RETURN,
    ONE_WRITER,
    Journal,
    Story,
    canary,
    everything_found,
)

LIN = PersonName("lin")
_PEOPLE = {
    ADA: Person(name="Ada Lovelace", roles=("on-call",)),
    GRACE: Person(name="Grace Hopper", roles=("database-owner",)),
    LIN: Person(name="林小雨", roles=("service-manager", "on-call")),
}
_LOOKS = {
    "same-system": "3 of 3 members carry system identifier 7312458120938",
    "standby-streams": "db-a2 streams, sync, 0 bytes behind",
    "replay-runs": "replay is not paused; last message 0.3 s ago",
    "no-old-transactions": "oldest transaction 0.0 s; 0 prepared",
    "disk-free": "db-a2: 61 % free",
    "users-served": "5 of 5 walks passed",
}


def _ssh(on: str, *argv: str) -> Action:
    return Action(kind="ssh", inputs={"on": on, "run": list(argv)})


def _sql(on: str, query: str) -> Action:
    return Action(kind="sql", inputs={"on": on, "query": query})


def _steps() -> tuple[Step | GateStop, ...]:
    resume = Undo(action=_sql("orders-pool/pool-a1", "RESUME shop"))
    restart = Undo(action=_ssh("orders-db/db-a1", "systemctl", "start", "postgresql@15-main"))
    return (
        a_step(
            "checkpoint-primary",
            why="The stop that follows has little left to write.",
            action=_sql("orders-db/db-a1", "CHECKPOINT"),
        ),
        a_step(
            "hold-client-traffic",
            why="Clients wait in the pooler instead of failing.",
            action=_sql("orders-pool/pool-a1", "PAUSE shop"),
            undo=resume,
        ),
        a_step(effect=Effect(fences="orders-db/db-a1"), undo=restart),
        GateStop(gate=NO_RETURN),
        a_step(
            "promote-standby",
            why="From here on db-a2 takes the writes.",
            action=_sql("orders-db/db-a2", "select pg_promote(true, 30)"),
            effect=Effect(promotes="orders-db/db-a2"),
            point_of_no_return=True,
        ),
        a_step(
            "repoint-pooler",
            why="Clients that wait go to the new primary.",
            action=_ssh("orders-pool/pool-a1", "recover-pool", "repoint", "shop", "db-a2"),
        ),
        a_step(
            "let-clients-go",
            why="Users are served again.",
            action=_sql("orders-pool/pool-a1", "RESUME shop"),
        ),
        a_step(
            "reattach-old-primary",
            why="The end state is as redundant as the beginning.",
            action=Action(kind="ansible", inputs={"on": "db-a1", "play": "ansible/reattach.yaml"}),
        ),
    )


def switchover_plan(
    *, title: str = "Move the primary role of a PostgreSQL service to a healthy standby, planned"
) -> Plan:
    looks = (
        an_item("same-system", ask="Do all members carry the same data?"),
        an_item("standby-streams", ask="Does the target stream, and is it close behind?"),
        an_item("replay-runs", ask="Does the target replay what it receives?"),
        an_item("no-old-transactions", ask="Is nothing older than 30 s open or prepared?"),
        an_item("disk-free", ask="Has the target 20 % of its disk free?"),
        an_item("users-served", ask="Are users served now?"),
        an_item("backup-recent", ask="Is the last backup younger than 24 h?", level=Level.SOFT),
        an_item("change-approved", ask="Is this change approved?", role="database-owner"),
    )
    proofs = (
        an_item("old-primary-down", ask="Is the old primary shut down, with its last position?"),
        an_item("standby-has-all", ask="Has the target replayed up to that position?"),
    )
    return a_plan(
        *_steps(),
        title=title,
        checklists=(a_checklist(PREFLIGHT, *looks), a_checklist(NO_RETURN, *proofs)),
        parameters={"database": "orders-db", "target": "db-a2", "quiet-for": "1h"},
        invariants=(
            BoundInvariant(
                invariant=ONE_WRITER,
                why="Two writable members are a split brain.",
                probes={"db-a1": A_PROBE},
                at_most=1,
            ),
        ),
        verify=a_journey_verification(),
        environment=an_environment(_PEOPLE),
    )


def _open_preflight(journal: Journal, *, with_waiver: bool = True) -> None:
    journal.watch()
    for item, summary in _LOOKS.items():
        journal.look(PREFLIGHT, item, some_evidence(summary=summary))
    old_backup = some_evidence(Verdict.FAILED, "the last backup is 31 h old")
    new_backup = some_evidence(summary="the last backup is 19 h old")
    journal.look(PREFLIGHT, "backup-recent", old_backup if with_waiver else new_backup)
    journal.tell(
        GateWaits(
            gate=PREFLIGHT,
            until=after(900),
            obstacles=("change-approved: waits for 1 signature(s) of database-owner",),
        )
    )
    if with_waiver:
        reason = "tonight's backup is running on db-b1, 批准"
        journal.sign(PREFLIGHT, "backup-recent", LIN, comment=reason, waives=True)
    journal.sign(PREFLIGHT, "change-approved", GRACE, comment="CHG-2041")
    verdict = Verdict.DEGRADED if with_waiver else Verdict.PASSED
    journal.tell(GateOpened(gate=PREFLIGHT, verdict=verdict))


def _open_no_return(journal: Journal) -> None:
    journal.look(
        NO_RETURN, "old-primary-down", some_evidence(summary="shut down at 0/5A2B3C8 on db-a1")
    )
    journal.look(NO_RETURN, "standby-has-all", some_evidence(summary="db-a2 replayed 0/5A2B3C8"))
    journal.tell(GateOpened(gate=NO_RETURN, verdict=Verdict.PASSED))


def _verify(journal: Journal, *, lost: int = 0, downtime: str = "0.0-0.2 s of 1.0 s") -> None:
    journal.check("journey", "place-an-order", "10 of 10 walks passed", seconds=3.1)
    journal.check("suite", "test_database.py", "14 tests passed", seconds=4.2)
    journal.check("probe", "old-primary-refuses", "db-a1 refuses writes: read-only", seconds=0.01)
    journal.check("invariant", ONE_WRITER, "1 of 3 members is writable: db-a2", seconds=0.01)
    is_lost = Verdict.FAILED if lost else Verdict.PASSED
    journal.check("objective", "downtime", downtime, verdict=is_lost)
    journal.check("objective", "lost-writes", f"{lost} lost of 0 allowed", verdict=is_lost)


@cache
def verified() -> Story:
    """Everything went as it should."""
    return _switched_over(with_waiver=False)


@cache
def verified_with_a_waiver() -> Story:
    """Everything went as it should, but one soft item was waived."""
    return _switched_over(with_waiver=True)


def _switched_over(*, with_waiver: bool) -> Story:
    plan = switchover_plan()
    journal = Journal(plan)
    _open_preflight(journal, with_waiver=with_waiver)
    journal.step("checkpoint-primary", 0.41, "checkpoint took 0.04 s")
    held_from = journal.now + 0.01
    journal.step("hold-client-traffic", 0.006, "shop is paused, 0 servers active")
    journal.step("stop-old-primary", 0.043, "db-a1 refuses connections from app-a1 and app-b1")
    _open_no_return(journal)
    journal.step("promote-standby", 0.088, "db-a2 is not in recovery; timeline 7 = 6 + 1")
    journal.step("repoint-pooler", 0.005, "shop points at db-a2")
    journal.step("let-clients-go", 0.004, "shop is not paused; a marker was written and read")
    held_until = journal.now - 0.001
    journal.step("reattach-old-primary", 3.82, "db-a1 streams from db-a2, sync")
    _verify(journal)
    journal.end(
        Verdict.DEGRADED if with_waiver else Verdict.PASSED,
        ExitCode.VERIFIED,
        "The primary role of orders-db moved from db-a1 to db-a2",
    )
    samples = canary(0.3, journal.now, holds=[(held_from, held_until)])
    return Story(
        plan=plan,
        entries=journal.entries,
        samples=samples,
        found=everything_found(samples),
    )


@cache
def rolled_back() -> Story:
    """The fence could not be proved, so everything was taken back."""
    plan = switchover_plan()
    journal = Journal(plan)
    _open_preflight(journal)
    journal.step("checkpoint-primary", 0.41, "checkpoint took 0.04 s")
    held_from = journal.now + 0.01
    journal.step("hold-client-traffic", 0.006, "shop is paused, 0 servers active")
    journal.fail(
        "stop-old-primary",
        30.0,
        Outcome.FAILED,
        "db-a1 still accepts connections after 30 s: backend 18833 does not end",
    )
    journal.undo("stop-old-primary", 1.9, "db-a1 is primary and accepts writes")
    journal.undo("hold-client-traffic", 0.01, "shop is not paused")
    held_until = journal.now
    journal.tell(
        PriorStateChecked(
            evidence=some_evidence(
                summary="db-a1 primary, 2 standbys stream, shop not paused", at=after(journal.now)
            )
        )
    )
    journal.end(
        Verdict.FAILED,
        ExitCode.ROLLED_BACK,
        "The old primary did not stop within 30 s; everything was taken back",
        "End backend 18833 on db-a1, then run database-switchover again.",
    )
    samples = canary(0.3, journal.now + 1, holds=[(held_from, held_until)])
    return Story(
        plan=plan, entries=journal.entries, samples=samples, found=everything_found(samples)
    )


@cache
def held() -> Story:
    """After the point of no return the pooler could not be repointed; the canary went blind."""
    plan = switchover_plan()
    journal = Journal(plan)
    _open_preflight(journal)
    journal.step("checkpoint-primary", 0.41, "checkpoint took 0.04 s")
    held_from = journal.now + 0.01
    journal.step("hold-client-traffic", 0.006, "shop is paused, 0 servers active")
    journal.step("stop-old-primary", 0.043, "db-a1 refuses connections from app-a1 and app-b1")
    _open_no_return(journal)
    journal.step("promote-standby", 0.088, "db-a2 is not in recovery; timeline 7 = 6 + 1")
    journal.fail(
        "repoint-pooler",
        10.0,
        Outcome.UNKNOWN,
        "pool-a1 did not answer within 10 s after the command was sent",
    )
    journal.tell(
        RunHeld(
            owner=ADA,
            reason="step repoint-pooler: unknown: pool-a1 did not answer within 10 s",
            next_action=(
                "Log in to pool-a1 by its console, see where database shop points; "
                "then retry repoint-pooler, or point it at db-a2 by hand and settle."
            ),
            exit_code=ExitCode.UNKNOWN,
        )
    )
    samples = canary(
        0.3,
        journal.now + 0.5,
        holds=[(held_from, held_from + 4)],
        cuts=[(held_from + 4, journal.now + 1)],
        blind=(held_from + 5, held_from + 8),
    )
    return Story(plan=plan, entries=journal.entries, samples=samples)


@cache
def refused() -> Story:
    """The standby does not replay: the gate stays shut."""
    plan = switchover_plan()
    journal = Journal(plan)
    journal.watch()
    for item, summary in _LOOKS.items():
        is_paused = item == "replay-runs"
        seen = some_evidence(
            Verdict.FAILED if is_paused else Verdict.PASSED,
            "db-a2: replay_paused is true, not false" if is_paused else summary,
        )
        journal.look(PREFLIGHT, item, seen)
    journal.look(PREFLIGHT, "backup-recent", some_evidence(summary="19 h old"))
    journal.refuse(PREFLIGHT, "replay-runs: db-a2: replay_paused is true, not false")
    journal.end(
        Verdict.FAILED,
        ExitCode.REFUSED,
        "Gate preflight stays shut: the target does not replay what it receives",
        "On db-a2: select pg_wal_replay_resume(); then run database-switchover again.",
    )
    samples = canary(0.3, journal.now)
    return Story(
        plan=plan, entries=journal.entries, samples=samples, found=everything_found(samples)
    )


@cache
def waiting() -> Story:
    """Only a signature is missing."""
    story = verified()
    until = next(i for i, e in enumerate(story.entries) if isinstance(e.event, GateWaits))
    return Story(plan=story.plan, entries=story.entries[: until + 1])


@cache
def aborted() -> Story:
    """Somebody pulled the cord while clients were held, and nobody was watching."""
    plan = switchover_plan()
    journal = Journal(plan)
    journal.tell(WatchFailed(reason="client-1 does not answer on port 22"))
    _open_preflight(journal)
    journal.step("checkpoint-primary", 0.41, "checkpoint took 0.04 s")
    journal.step("hold-client-traffic", 0.006, "shop is paused, 0 servers active")
    journal.tell(AbortRequested(by=ADA, reason="wrong night"))
    journal.undo("hold-client-traffic", 0.01, "shop is not paused")
    journal.tell(
        PriorStateChecked(evidence=some_evidence(summary="as before", at=after(journal.now)))
    )
    journal.end(Verdict.FAILED, ExitCode.ABORTED, "Aborted by ada: wrong night; rolled back")
    return Story(plan=plan, entries=journal.entries)


@cache
def hostile() -> Story:
    """Targets and people say things that are meant to break a page; one step is at work."""
    plan = switchover_plan(title=f"主库切换演练 {HOSTILE}")
    journal = Journal(plan)
    journal.watch()
    journal.look(PREFLIGHT, "same-system", some_evidence(Verdict.FAILED, HOSTILE * 40))
    journal.tell(GateOpened(gate=PREFLIGHT, verdict=Verdict.PASSED))
    journal.fail("checkpoint-primary", 2.0, Outcome.FAILED, HOSTILE + "x" * 3000)
    journal.tell(intended("checkpoint-primary", 2))
    journal.tell(intended("hold-client-traffic"))
    return Story(plan=plan, entries=journal.entries)


@cache
def long_winded() -> Story:
    """Thirty steps, Chinese titles, and an outage of half a minute with lost writes."""
    names = [f"bring-up-tier-{number}" for number in range(1, 31)]
    steps = tuple(
        a_step(
            name,
            why=f"Tier {n} needs tier {n - 1}.",
            action=_ssh(f"应用-{n}", "systemctl", "start", f"shop-tier@{n}"),
        )
        for n, name in enumerate(names, start=1)
    )
    plan = a_plan(
        *steps,
        title="数据中心切换 从站点甲到站点乙",
        parameters={"target": "db-b1"},
        verify=a_journey_verification(),
        environment=an_environment(_PEOPLE),
    )
    journal = Journal(plan)
    journal.watch()
    journal.look(PREFLIGHT, "replica-in-sync", some_evidence())
    journal.tell(GateOpened(gate=PREFLIGHT, verdict=Verdict.PASSED))
    for number, name in enumerate(names):
        journal.step(name, 0.3 + (number * 7 % 11) / 4, f"{name} serves")
    _verify(journal, lost=3, downtime="27.5-30.9 s of 1.0 s")
    journal.end(
        Verdict.FAILED,
        ExitCode.HANDS_NEEDED,
        "站点乙 serves, but 3 acknowledged writes are lost",
        "Restore writes 812-814 from the archive of site A (站点甲), then sign the loss.",
    )
    samples = canary(0.3, journal.now, holds=[(6.0, 9.0)], cuts=[(9.0, 35.5), (41, 42)])
    everything = everything_found(samples)
    found = {name: n for name, n in everything.items() if name.seq not in {201, 202, 203}}
    return Story(plan=plan, entries=journal.entries, samples=samples, found=found)


STORIES: Mapping[str, Callable[[], Story]] = {
    "verified": verified,
    "verified-with-a-waiver": verified_with_a_waiver,
    "rolled-back": rolled_back,
    "held": held,
    "refused": refused,
    "waiting": waiting,
    "aborted": aborted,
    "hostile": hostile,
    "long-winded": long_winded,
}
