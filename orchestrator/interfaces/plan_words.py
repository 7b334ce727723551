"""A plan told to the engineer who is about to start it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from orchestrator.adapters.reports.words import duration
from orchestrator.domain.checklist import ChecklistItem
from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import ChecklistName, GateStop, Objectives, Step
from orchestrator.engine.describing import hosts_of
from orchestrator.interfaces.call_words import call_in_words, look_in_words
from orchestrator.interfaces.columns import labelled, printable, wrapped

FINAL = "cannot be taken back"
ITEM_WIDTH = 8
STEP_WIDTH = 9


def plan_summary(plan: Plan) -> str:
    """Return what will happen, counted; what cannot be taken back stands apart."""
    return "\n".join(_summary_lines(plan))


def plan_as_text(plan: Plan) -> str:
    """Return the whole plan: every gate, every step with its probe and its undo."""
    return "\n".join(_plan_lines(plan))


def objectives_in_words(objectives: Objectives) -> str:
    """Return what the recovery may cost, in one line."""
    times = {"downtime at most": objectives.downtime, "users back within": objectives.back_within}
    told = [f"{what} {duration(t.total_seconds())}" for what, t in times.items() if t is not None]
    return ", ".join([*told, f"lost writes at most {objectives.lost_writes}"])


def _summary_lines(plan: Plan) -> Iterator[str]:
    steps = tuple(plan.actions)
    hosts = sorted({host for step in steps for host in hosts_of(step.action)})
    undoable = sum(step.undo is not None for step in steps)
    items = [item for checklist in plan.checklists.values() for item in checklist.items]
    people = sum(bool(item.role) for item in items)
    final = ", ".join(step.name for step in steps if step.point_of_no_return)
    for line in wrapped(printable(plan.title)):
        yield click.style(line, bold=True)
    rows = {
        "steps": f"{len(steps)} on {len(hosts)} hosts ({', '.join(hosts)}), "
        f"{undoable} with an undo",
        "gates": f"{len(plan.gates)} with {len(items)} items, {people} of them for people",
        "objectives": objectives_in_words(plan.objectives),
        **plan.parameters,
    }
    width = max(map(len, rows)) + 2
    for label, text in rows.items():
        yield from labelled(label, text, indent=2, width=width)
    yield f"  plan {plan.digest}"
    for line in labelled("", f"{FINAL}: {final or 'nothing'}", indent=2, width=0):
        yield click.style(line, fg="yellow", bold=True)


def _plan_lines(plan: Plan) -> Iterator[str]:
    yield from _summary_lines(plan)
    yield from _gate_lines(plan, plan.gate)
    number, is_final, part = 0, False, ""
    for move in plan.steps:
        child = plan.child_of(move.gate if isinstance(move, GateStop) else move.name)
        if child != part:
            yield from _part_lines(plan, child)
            part = child
        match move:
            case GateStop():
                yield from _gate_lines(plan, move.gate)
            case Step():
                number += 1
                is_final = is_final or move.point_of_no_return
                yield from _step_lines(number, move, is_final=is_final)
    yield from _verification_lines(plan)


def _part_lines(plan: Plan, child: str) -> Iterator[str]:
    """Head what belongs to an included playbook, or to the plan's own again."""
    seen = plan.as_seen_by(child)
    yield ""
    for line in wrapped(printable(f"{child or seen.playbook}: {seen.title}")):
        yield click.style(line, bold=True, underline=True)
    for name, value in seen.parameters.items() if child else ():
        yield from wrapped(printable(f"{name} {value}"), "  ", "    ")


def _gate_lines(plan: Plan, gate: ChecklistName) -> Iterator[str]:
    checklist = plan.checklists[gate]
    yield ""
    for line in wrapped(printable(f"Gate {gate}: {checklist.title}")):
        yield click.style(line, bold=True)
    for item in checklist.items:
        label = "people" if item.role else "probe"
        yield from labelled(label, _item_in_words(item), indent=2, width=ITEM_WIDTH)


def _item_in_words(item: ChecklistItem) -> str:
    role = f" ({item.people} × {item.role})" if item.role else ""
    return f"{item.item}: {item.ask}{role}{_waiver_in_words(item)}"


def _waiver_in_words(item: ChecklistItem) -> str:
    if item.waive:
        return f" (can be waived by {item.waive.people} × {item.waive.role})"
    return " (can be waived)" if item.is_waivable else ""


def _step_lines(number: int, step: Step, *, is_final: bool) -> Iterator[str]:
    yield ""
    final = click.style(f"  {FINAL}", fg="yellow", bold=True) if step.point_of_no_return else ""
    limit = click.style(f"  at most {duration(step.time_limit.total_seconds())}", dim=True)
    yield click.style(f"{number:2}. {printable(step.name)}", bold=True) + limit + final
    yield from wrapped(printable(step.why), "    ", "    ")
    rows = [
        ("does", call_in_words(step.action)),
        *(("expects", look_in_words(probe)) for probe in step.expect),
        *(("proves", look_in_words(probe)) for probe in step.prove),
        ("undo", _undo_in_words(step, is_final=is_final)),
    ]
    if step.if_unproven:
        rows.append(("unproven", f"gate {step.if_unproven}, where people decide"))
    for label, text in rows:
        yield from labelled(label, text, indent=4, width=STEP_WIDTH)
    if step.if_you_stop_here:
        told = f"If you stop here: {step.if_you_stop_here}"
        yield from wrapped(printable(told), "    ", "    ")


def _undo_in_words(step: Step, *, is_final: bool) -> str:
    if step.undo:
        return call_in_words(step.undo.action)
    if step.changes_nothing:
        return "nothing to take back"
    return "none; if it fails the run holds, and a person decides" if is_final else "none"


def _verification_lines(plan: Plan) -> Iterator[str]:
    yield ""
    yield click.style("Verification", bold=True)
    rows = [
        *(
            ("journey", f"{n}, {t.in_a_row} times in a row")
            for n, t in plan.verify.journeys.items()
        ),
        *(("suite", suite) for suite in plan.verify.suites),
        *(("probe", f"{n}: {look_in_words(p)}") for n, p in plan.verify.probes.items()),
        *(("always", f"{i.invariant}: {i.why}") for i in plan.invariants),
    ]
    for label, text in rows:
        yield from labelled(label, text, indent=2, width=STEP_WIDTH)
