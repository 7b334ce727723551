"""Actions and probes in one line, with what a probe wants to see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.domain.playbook import Action, Probe
from orchestrator.engine.describing import hosts_of, line_of

WANTED = (
    "where",
    "row",
    "rows",
    "exactly",
    "same",
    "not_below_first",
    "not_above_first",
    "status",
    "json",
    "matches",
)
"""Inputs that say what a look must show; an ``exit_code`` and a ``number`` have own words."""

TERMS: Mapping[str, str] = {
    "at_most": "at most",
    "at_least": "at least",
    "one_of": "one of",
    "differs_from": "other than",
}


def call_in_words(call: Action | Probe) -> str:
    """Return an action or probe as one line: its kind, where, and what."""
    where = ", ".join(hosts_of(call))
    return f"{call.kind} on {where}: {line_of(call)}" if where else f"{call.kind}: {line_of(call)}"


def look_in_words(probe: Probe) -> str:
    """Return a probe as one line, with what it wants to see."""
    wanted = "; ".join(_wanted(probe.inputs))
    return f"{call_in_words(probe)} → {wanted}" if wanted else call_in_words(probe)


def _wanted(inputs: Mapping[str, object]) -> Iterator[str]:
    if not {"run", "query", "url"} & inputs.keys():
        return
    for name in WANTED:
        value = inputs.get(name)
        if value not in (None, {}, [], ()):
            yield f"{name.replace('_', ' ')} {_in_words(value)}"
    number = inputs.get("number")
    if isinstance(number, Mapping):
        yield "number " + _in_words({k: v for k, v in number.items() if k != "pattern"})
    if inputs.get("exit_code"):
        yield f"exit code {inputs['exit_code']}"


def _in_words(value: object) -> str:
    match value:
        case Mapping():
            return ", ".join(f"{TERMS.get(key, key)} {_in_words(v)}" for key, v in value.items())
        case list() | tuple():
            return ", ".join(map(_in_words, value))
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
