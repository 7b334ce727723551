"""A plan told to the engineer who is about to start it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from orchestrator.domain.plan import Plan
from orchestrator.domain.playbook import Action, ChecklistName, GateStop, Playbook, Probe, Step
from orchestrator.engine.describing import hosts_of, line_of

WIDTH = 79
INDENT = " " * 6


def plan_summary(plan: Plan) -> str:
    """Return what will happen, counted; what cannot be taken back stands apart."""
    steps = tuple(plan.actions)
    final = [step.name for step in steps if step.point_of_no_return]
    undoable = sum(step.undo is not None for step in steps)
    items = sum(len(checklist.items) for checklist in plan.checklists.values())
    hosts = sorted({host for step in steps for host in hosts_of(step.action)})
    lines = [
        click.style(plan.title, bold=True),
        f"  {len(steps)} steps on {len(hosts)} hosts ({', '.join(hosts)}), {undoable} with an "
        f"undo; {len(plan.gates)} gates with {items} items",
        f"  objectives: downtime at most {plan.objectives.downtime.total_seconds():g} s, "
        f"lost writes at most {plan.objectives.lost_writes}",
        *(f"  {name} = {value}" for name, value in plan.parameters.items()),
        click.style(f"  cannot be taken back: {', '.join(final) or 'nothing'}", fg="yellow"),
        f"  plan {plan.digest}",
    ]
    return "\n".join(lines)


def plan_as_text(plan: Plan) -> str:
    """Return the whole plan: every gate, every step with its probe and its undo."""
    return "\n".join(_plan_lines(plan))


def playbook_as_text(playbook: Playbook) -> str:
    """Return a playbook as it is written, before anything is bound."""
    return "\n".join(_playbook_lines(playbook))


def in_one_line(call: Action | Probe) -> str:
    """Return an action or probe as one line: its kind, where, and what."""
    where = ", ".join(hosts_of(call))
    return f"{call.kind} on {where}: {line_of(call)}" if where else f"{call.kind}: {line_of(call)}"


def _playbook_lines(playbook: Playbook) -> Iterator[str]:
    yield click.style(playbook.playbook, bold=True)
    yield from _wrapped(f"  {playbook.title}")
    objectives = playbook.objectives
    yield (
        f"  objectives: downtime at most {objectives.downtime.total_seconds():g} s, "
        f"lost writes at most {objectives.lost_writes}"
    )
    yield ""
    yield click.style("parameters", bold=True)
    for name, parameter in playbook.parameters.items():
        default = f", default {parameter.default}" if parameter.default else ""
        yield from _wrapped(f"  {name} ({parameter.kind}{default}): {parameter.about}")
    yield ""
    yield click.style(f"gate {playbook.gate}", fg="cyan")
    for number, move in enumerate(playbook.steps, start=1):
        match move:
            case GateStop():
                yield click.style(f"gate {move.gate}", fg="cyan")
            case Step():
                final = "  cannot be taken back" if move.point_of_no_return else ""
                yield f"{number:3}. {move.name}" + click.style(final, fg="yellow")
                yield from _wrapped(f"     {move.why}")


def _plan_lines(plan: Plan) -> Iterator[str]:
    yield plan_summary(plan)
    yield from _gate_lines(plan, plan.gate)
    for number, move in enumerate(plan.steps, start=1):
        match move:
            case GateStop():
                yield from _gate_lines(plan, move.gate)
            case Step():
                yield from _step_lines(number, move)
    yield ""
    yield click.style("verify", bold=True)
    for journey, times in plan.verify.journeys.items():
        yield f"  journey {journey}, {times.in_a_row} times in a row"
    for suite in plan.verify.suites:
        yield f"  suite {suite}"
    for name, probe in plan.verify.probes.items():
        yield from _wrapped(f"  {name}: {in_one_line(probe)}")
    for invariant in plan.invariants:
        yield f"  invariant {invariant.invariant}: {invariant.why}"


def _gate_lines(plan: Plan, gate: ChecklistName) -> Iterator[str]:
    checklist = plan.checklists[gate]
    yield ""
    yield click.style(f"gate {gate}: {checklist.title}", fg="cyan", bold=True)
    for item in checklist.items:
        by = f"{item.people} × {item.role}" if item.role else "probe"
        yield from _wrapped(f"  {item.level:4} {item.item} ({by}): {item.ask}")


def _step_lines(number: int, step: Step) -> Iterator[str]:
    yield ""
    final = click.style("  cannot be taken back", fg="yellow") if step.point_of_no_return else ""
    yield click.style(f"{number:2}. {step.name}", bold=True) + final
    yield from _wrapped(f"    {step.why}")
    yield from _wrapped(f"    does    {in_one_line(step.action)}")
    for probe in (*step.expect, *step.prove):
        yield from _wrapped(f"    expects {in_one_line(probe)}")
    undo = "nothing to undo" if step.changes_nothing else "none"
    yield from _wrapped(f"    undo    {in_one_line(step.undo.action) if step.undo else undo}")
    yield from _wrapped(f"    if you stop here: {step.if_you_stop_here}")


def _wrapped(line: str) -> Iterator[str]:
    lead = line[: len(line) - len(line.lstrip())]
    yield from textwrap.wrap(
        " ".join(line.split()), WIDTH, initial_indent=lead, subsequent_indent=lead + INDENT
    )
