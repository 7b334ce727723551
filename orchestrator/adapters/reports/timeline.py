"""The timeline: outage strip over bars over a time axis, laid out on paper of any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from orchestrator.adapters.reports import words
from orchestrator.adapters.reports.geometry import Box, Frame, Label, Line, Panel, Paper, Shape
from orchestrator.adapters.reports.rows import Row, rows_of
from orchestrator.domain.report import Report
from orchestrator.domain.strip import Bucket, Scope, Service, Strip

_TITLES = {
    Scope.RUN: "The whole run",
    Scope.STEPS: "The steps",
    Scope.OUTAGE: "The longest gap, close up",
}
_TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)
_SERVED = {
    Service.OK: "served",
    Service.HELD: "waiting",
    Service.BLIND: "nobody watched",
    Service.BAD: "errors",
}

# From top to bottom: the point of no return's name, the rate of writes, the strip, the rows.
_RATE_TOP = 20.0
_RATE_HEIGHT = 34.0
_STRIP_TOP = _RATE_TOP + _RATE_HEIGHT + 2
_STRIP_HEIGHT = 12.0
_ROWS_TOP = _STRIP_TOP + _STRIP_HEIGHT + 12
_AXIS_HEIGHT = 24.0
_CHARACTER = 6.4


def draw_timeline(report: Report, paper: Paper) -> tuple[Panel, ...]:
    """Return one panel for each strip that shows something new."""
    return tuple(
        _draw(report, strip, paper)
        for strip in report.strips
        if not _is_repeated(strip, report.strips)
    )


def _is_repeated(strip: Strip, strips: Sequence[Strip]) -> bool:
    """Tell whether a close-up would show no more than the panel above it."""
    return strip.scope is Scope.OUTAGE and any(
        (strip.until - strip.since) * 2 > other.until - other.since
        for other in strips
        if other.scope is Scope.STEPS
    )


def _draw(report: Report, strip: Strip, paper: Paper) -> Panel:
    frame = Frame(strip.since, strip.until, paper)
    rows = [row for row in rows_of(report, strip.scope) if _is_shown(row, frame)]
    bottom = _ROWS_TOP + len(rows) * paper.row + 2
    return Panel(
        title=_TITLES[strip.scope],
        note=_note(report, strip),
        paper=paper,
        height=bottom + _AXIS_HEIGHT,
        shapes=(
            *_shade_outages(report, frame, bottom),
            *_draw_axis(report, strip, frame, bottom),
            *_draw_rates(strip, frame),
            *_draw_strip(strip, frame),
            *_draw_no_return(report, frame, bottom),
            *_draw_rows(rows, frame),
        ),
    )


def _is_shown(row: Row, frame: Frame) -> bool:
    return any(frame.shows(bar.start, bar.end) for bar in row.bars)


def _note(report: Report, strip: Strip) -> str:
    length = words.duration((strip.until - strip.since).total_seconds())
    zero = report.times.first_action
    if strip.scope is Scope.RUN or zero is None:
        return f"{length}, clock in UTC"
    return f"{length}; 0 s is the first action at {words.clock(zero)} UTC"


def _shade_outages(report: Report, frame: Frame, bottom: float) -> Iterator[Box]:
    for outage in report.outages:
        if frame.shows(outage.started, outage.ended):
            yield frame.box(
                outage.started,
                outage.ended,
                y=_RATE_TOP,
                height=bottom - _RATE_TOP,
                style="outage",
                tip=f"Outage of {words.duration(outage.duration_s)}",
                at_least=1,
            )


def _draw_rates(strip: Strip, frame: Frame) -> Iterator[Shape]:
    """Draw how many writes were acknowledged in each bucket, as columns."""
    most = max((bucket.acknowledged for bucket in strip.buckets), default=0)
    width = timedelta(seconds=strip.bucket_s)
    for bucket in strip.buckets if most else ():
        height = round(_RATE_HEIGHT * bucket.acknowledged / most, 2)
        if height:
            yield frame.box(
                bucket.start,
                bucket.start + width,
                y=_RATE_TOP + _RATE_HEIGHT - height,
                height=height,
                style="rate",
            )
    if frame.paper.gutter:
        rate = "acknowledged writes" if strip.buckets else "writes: not watched"
        yield Label(x=0, y=_RATE_TOP + _RATE_HEIGHT - 4, text=rate, style="soft")


def _draw_strip(strip: Strip, frame: Frame) -> Iterator[Shape]:
    if frame.paper.gutter:
        yield Label(x=0, y=_STRIP_TOP + _STRIP_HEIGHT - 2, text="Users", style="name")
    if not strip.buckets:
        yield _cell(Service.BLIND, strip.since, strip.until, frame)
    for service, run in groupby(strip.buckets, key=lambda bucket: bucket.service):
        buckets: list[Bucket] = list(run)
        end = buckets[-1].start + timedelta(seconds=strip.bucket_s)
        yield _cell(service, buckets[0].start, end, frame)


def _cell(service: Service, start: datetime, end: datetime, frame: Frame) -> Box:
    length = words.duration((end - start).total_seconds())
    return frame.box(
        start,
        end,
        y=_STRIP_TOP,
        height=_STRIP_HEIGHT,
        style=f"service-{service}",
        tip=f"{_SERVED[service]}, about {length} from {words.clock(start)} UTC",
        at_least=1,
    )


def _draw_rows(rows: Sequence[Row], frame: Frame) -> Iterator[Shape]:
    for number, row in enumerate(rows):
        yield from _draw_row(row, _ROWS_TOP + number * frame.paper.row, frame)


def _draw_row(row: Row, top: float, frame: Frame) -> Iterator[Shape]:
    is_wide = frame.paper.gutter > 0
    y = top + (4 if is_wide else 15)
    shown = [bar for bar in row.bars if frame.shows(bar.start, bar.end)]
    for bar in shown:
        yield frame.box(
            bar.start, bar.end, y=y, height=13, style=bar.style, tip=row.tip, at_least=2
        )
    if is_wide:
        yield Label(x=0, y=y + 10.5, text=_shortened(row.name), style=_name_style(row))
        left, right = frame.x(shown[0].start), frame.x(max(bar.end for bar in shown))
        yield _beside(row.told, left, right, y + 10.5, frame)
        return
    yield Label(x=0, y=top + 11, text=row.name, style=_name_style(row))
    yield Label(x=frame.paper.width, y=top + 11, text=row.told, anchor="end", style="soft")


def _name_style(row: Row) -> str:
    return "soft" if row.is_gate else "name"


def _shortened(name: str) -> str:
    own = name if len(name) <= 28 else name.rpartition("/")[2]
    return own if len(own) <= 28 else own[:27] + "…"


def _beside(text: str, left: float, right: float, y: float, frame: Frame) -> Label:
    """Put *text* behind a bar, or before it, or into it, wherever there is room."""
    needed = len(text) * _CHARACTER + 8
    if right + needed < frame.paper.width:
        return Label(x=right + 5, y=y, text=text, style="soft")
    if left - needed > frame.paper.gutter:
        return Label(x=left - 5, y=y, text=text, anchor="end", style="soft")
    return Label(x=right - 6, y=y, text=text, anchor="end", style="on-bar")


def _draw_no_return(report: Report, frame: Frame, bottom: float) -> Iterator[Shape]:
    for step in report.steps:
        if step.irreversible and step.started and frame.shows(step.started, step.started):
            x = frame.x(step.started)
            is_left = x < frame.paper.width * 0.75
            yield Line(x=x, top=12, bottom=bottom, style="no-return")
            yield Label(
                x=x + (4 if is_left else -4),
                y=12,
                text="point of no return",
                anchor="start" if is_left else "end",
                style="no-return",
            )


def _draw_axis(report: Report, strip: Strip, frame: Frame, bottom: float) -> Iterator[Shape]:
    action = report.times.first_action
    zero = None if strip.scope is Scope.RUN else action
    step = _tick_step(frame, at_most=frame.paper.ticks_at_most * (1 if zero is None else 1.5))
    for at in _ticks(frame, zero or strip.since.replace(microsecond=0), step):
        text = _clock(at, step) if zero is None else _offset(at - zero)
        x = frame.x(at)
        yield Line(x=x, top=_RATE_TOP, bottom=bottom + 4, style="tick")
        yield Label(x=x, y=bottom + 17, text=text, anchor=_anchor(frame, x), style="axis")


def _clock(at: datetime, step: timedelta) -> str:
    return words.clock(at)[:-2] if step < timedelta(seconds=1) else f"{at:%H:%M:%S}"


def _offset(since: timedelta) -> str:
    return f"{since.total_seconds():+.1f} s" if since else "0 s"


def _anchor(frame: Frame, x: float) -> str:
    if x > frame.paper.width - 24:
        return "end"
    return "start" if x < frame.paper.gutter + 24 else "middle"


def _tick_step(frame: Frame, *, at_most: float) -> timedelta:
    steps = (timedelta(seconds=seconds) for seconds in _TICKS_S)
    room = (frame.until - frame.since) / at_most
    return next((step for step in steps if step >= room), timedelta(days=1))


def _ticks(frame: Frame, zero: datetime, step: timedelta) -> Iterator[datetime]:
    """Yield the moments on the paper that are whole steps away from *zero*."""
    at = zero + -((zero - frame.since) // step) * step
    while at <= frame.until:
        yield at
        at += step
