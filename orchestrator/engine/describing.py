"""Actions and probes in one line, for plan, page and report. Pure."""

from __future__ import annotations

import shlex

from orchestrator.domain.playbook import Action, Probe


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
        case _:
            line = ", ".join(f"{k} {_in_words(v)}" for k, v in inputs.items() if k != "on")
    return " ".join(line.split())


def _host(target: str) -> str:
    return target.rpartition("/")[2]


def _in_words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
