"""What trials come to: rows, counts of harm, and where the time went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from tests.bench.table import Row, compare, in_columns
from tests.bench.trials import Side, Trial

BASELINE = "bare hands, same moves, no checks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What the trials of one side did to users. Everything but the first of each pair is bad.

    Attributes:
        lost: Acknowledged marker writes that are gone, or are there twice.
        doubts: Why these numbers may be wrong.
    """

    side: str
    trials: int
    acknowledged: int
    failed: int
    lost: int
    transactions: int
    failed_transactions: int
    doubts: tuple[str, ...]


def of_side(trials: Sequence[Trial], side: Side) -> list[Trial]:
    """Return the trials of one side."""
    return [trial for trial in trials if trial.side is side]


def gap_rows(burden: str, trials: Sequence[Trial]) -> list[Row]:
    """Compare the gaps of both sides: while traffic was held, and anywhere in the trial.

    There is nothing to compare unless both were tried.
    """
    if not (of_side(trials, Side.OURS) and of_side(trials, Side.BARE)):
        return []
    return [
        _gap_row(f"switchover {burden}: gap while traffic is held", trials, _held_gap_ms),
        _gap_row(f"switchover {burden}: longest gap of the whole run", trials, _longest_gap_ms),
    ]


def _gap_row(name: str, trials: Sequence[Trial], gap_ms: Callable[[Trial], float]) -> Row:
    ours, bare = (list(map(gap_ms, of_side(trials, side))) for side in (Side.OURS, Side.BARE))
    return compare(name, ours, BASELINE, bare)


def _held_gap_ms(trial: Trial) -> float:
    return trial.seen.held_gap_ms


def _longest_gap_ms(trial: Trial) -> float:
    return trial.seen.longest_gap_ms


def harm(trials: Sequence[Trial], side: Side) -> Harm:
    """Add up what one side did to users."""
    mine = of_side(trials, side)
    loads = [trial.load for trial in mine if trial.load]
    return Harm(
        side=side,
        trials=len(mine),
        acknowledged=sum(trial.seen.acknowledged for trial in mine),
        failed=sum(trial.seen.failed for trial in mine),
        lost=sum(trial.seen.lost for trial in mine),
        transactions=sum(report.transactions for report in loads),
        failed_transactions=sum(report.failed for report in loads),
        doubts=tuple(
            doubt for trial in mine for doubt in (*trial.seen.doubts, *trial.seen.errors)
        ),
    )


def _doubts(trial: Trial) -> Iterable[str]:
    complaints = trial.load.complaints if trial.load else ()
    return filter(None, (trial.told.doubt, *trial.seen.doubts, *trial.seen.errors, *complaints))


def harm_table(harms: Sequence[Harm]) -> str:
    """Return the counts in columns, and the doubts below them."""
    headings = ("side", "trials", "writes", "failed", "lost", "pgbench", "failed ")
    lines = [tuple(map(str, list(asdict(each).values())[:-1])) for each in harms]
    doubts = [f"! {each.side}: {doubt}" for each in harms for doubt in each.doubts]
    return "\n".join([in_columns([headings, *lines]), *doubts])


def moves_table(trials: Sequence[Trial], side: Side) -> str:
    """Return the median of each move of one side, in milliseconds."""
    mine = of_side(trials, side)
    moves = [
        (move, f"{median(trial.told.took_ms(move) for trial in mine):.1f} ms")
        for move in mine[0].told.moves
    ]
    return in_columns([(f"{side}, while users wait", "median"), *moves])
