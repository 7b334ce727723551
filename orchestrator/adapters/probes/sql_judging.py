"""From the answers of members to one judgement. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.adapters.probes.judgement import Judgement
from orchestrator.adapters.probes.sql_inputs import SqlProbeInputs
from orchestrator.adapters.sql_statements import Answer, Row, show_row
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.expectation import shortfalls
from orchestrator.domain.verdict import Verdict

SHOWN_ROWS = 5
ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLook:
    """What one member answered."""

    member: str
    answer: Answer | Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One member that answered: its chosen rows, and in what they fall short."""

    member: str
    rows: tuple[Row, ...]
    reasons: tuple[str, ...]

    @property
    def first(self) -> Row:
        return self.rows[0] if self.rows else {}


def judge(inputs: SqlProbeInputs, looks: Sequence[MemberLook]) -> Judgement:
    """Weigh what was seen; a member without an answer never counts in favour."""
    troubles = tuple(str(look.answer) for look in looks if isinstance(look.answer, Trouble))
    seen = tuple(
        _see(inputs, look.member, look.answer) for look in looks if isinstance(look.answer, Answer)
    )
    fitting = tuple(one for one in seen if not one.reasons)
    if inputs.exactly is None:
        reasons = tuple(reason for one in seen for reason in one.reasons)
    else:
        reasons = _miscounts(inputs.exactly, fitting, seen, unheard=len(troubles))
    if not troubles:
        reasons += tuple(_differences(inputs, seen))
    if reasons:
        return Judgement(verdict=Verdict.FAILED, summary="; ".join((*reasons, *troubles)))
    if troubles:
        return Judgement(verdict=Verdict.INCONCLUSIVE, summary="; ".join(troubles))
    return Judgement(
        verdict=Verdict.PASSED,
        summary="; ".join(_show(inputs, one) for one in fitting) or f"none of {len(seen)}",
        kept={name: _text(fitting[0].first[c]) for name, c in inputs.keep.items() if fitting},
    )


def _see(inputs: SqlProbeInputs, member: str, answer: Answer) -> _Seen:
    rows = tuple(
        row
        for row in answer.rows
        if not any(shortfalls(row.get(c, ABSENT), value) for c, value in inputs.where.items())
    )
    reasons = tuple(f"{member}: {reason}" for reason in _row_reasons(inputs, rows))
    return _Seen(member=member, rows=rows, reasons=reasons)


def _row_reasons(inputs: SqlProbeInputs, rows: tuple[Row, ...]) -> Iterator[str]:
    if inputs.rows is not None and (wrong := shortfalls(len(rows), inputs.rows)):
        listed = ", ".join(map(show_row, rows[:SHOWN_ROWS]))
        more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
        yield f"number of rows {'; '.join(wrong)}" + (f" ({listed}{more})" if rows else "")
    if not inputs.columns:
        return
    if not rows:
        yield "no row"
        return
    for column in inputs.columns:
        if column not in rows[0]:
            yield f"the answer has no column {column}"
    for column, wanted in inputs.row.items():
        if column in rows[0]:
            yield from (f"{column} {reason}" for reason in shortfalls(rows[0][column], wanted))
    for column in inputs.keep.values():
        if rows[0].get(column, ABSENT) is None:
            yield f"{column} is nothing, and was to be kept"


def _miscounts(
    exactly: int, fitting: Sequence[_Seen], seen: Sequence[_Seen], *, unheard: int
) -> tuple[str, ...]:
    """Return why the number cannot be right any more, whatever the unheard would say."""
    if len(fitting) <= exactly <= len(fitting) + unheard:
        return ()
    members = ", ".join(one.member for one in fitting) or "none"
    others = tuple(reason for one in seen for reason in one.reasons)
    return (f"{len(fitting)} of {len(seen) + unheard} ({members}), not {exactly}", *others)


def _differences(inputs: SqlProbeInputs, seen: Sequence[_Seen]) -> Iterator[str]:
    """Compare every member with the first one."""
    if not all(one.first for one in seen):
        return
    for first, other in ((seen[0], other) for other in seen[1:]):
        for column in inputs.same:
            here, there = first.first.get(column), other.first.get(column)
            if here != there:
                yield f"{column} is {here} on {first.member}, {there} on {other.member}"
        for column in inputs.not_below_first:
            here, there = first.first.get(column), other.first.get(column)
            if not _is_at_least(there, here):
                yield f"{column} is {there} on {other.member}, below {here} on {first.member}"
        for column in inputs.not_above_first:
            here, there = first.first.get(column), other.first.get(column)
            if not _is_at_least(here, there):
                yield f"{column} is {there} on {other.member}, above {here} on {first.member}"


def _is_at_least(there: object, here: object) -> bool:
    try:
        return float(str(there)) >= float(str(here))
    except ValueError:
        return False


def _show(inputs: SqlProbeInputs, one: _Seen) -> str:
    asked = {column: one.first[column] for column in inputs.columns}
    return f"{one.member}: {show_row(asked) if asked else f'{len(one.rows)} rows'}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
