"""Actions and probes in one line, for plan, page and report. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from orchestrator.domain.playbook import Action, Probe

FENCE = "fence"
"""The kind of action and probe that is about a member's fences."""


def hosts_of(call: Action | Probe) -> tuple[str, ...]:
    """Return the hosts that *call* goes to; of a member ``service/host`` the host."""
    match call.inputs.get("on", ()):
        case str() as target:
            return (_host(target),)
        case list() | tuple() as targets:
            return tuple(_host(str(target)) for target in targets)
        case _:
            return ()


def line_of(call: Action | Probe) -> str:
    """Return what *call* does in one line, without where it does it."""
    inputs = call.inputs
    match inputs:
        case {"run": list() | tuple() as argv}:
            line = shlex.join(map(str, argv))
        case {"query": list() | tuple() as queries}:
            line = "; ".join(map(str, queries))
        case {"query": told} | {"play": told} | {"instructions": told}:
            line = str(told)
        case {"url": url}:
            line = f"{inputs.get('method', 'GET')} {url}"
        case _ if call.kind == FENCE:
            line = _fence_in_words(inputs)
        case _:
            line = ", ".join(f"{k} {_in_words(v)}" for k, v in inputs.items() if k != "on")
    return " ".join(line.split())


def _fence_in_words(inputs: Mapping[str, object]) -> str:
    which = _in_words(inputs["only"]) if inputs.get("only") else "its fences"
    match inputs:
        case {"expect": wanted}:
            return f"{which} {wanted}"
        case {"open": True}:
            return f"open {which}"
        case _:
            return f"close {which} in turn, until one holds"


def _host(target: str) -> str:
    return target.rpartition("/")[2]


def _in_words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
