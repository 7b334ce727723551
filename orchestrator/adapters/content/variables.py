"""Inventory variables that may reach a connection or a template, and those that may not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from orchestrator.adapters.content.documents import REFUSED
from orchestrator.adapters.content.wording import show
from orchestrator.domain.problem import Fault, Path

_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_PROGRAM = re.compile(r"/[A-Za-z0-9/._+-]{1,200}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def _like(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


CONNECTION: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "ansible_host": (_like(_ADDRESS), "an address or a host name"),
    "ansible_port": (_is_port, "a port between 1 and 65535"),
    "ansible_user": (_like(_USER), "a user name"),
    "ansible_python_interpreter": (_like(_PROGRAM), "the full path of a program"),
}
"""The connection variables that are obeyed, and what each must be."""


def lint_variables(variables: Mapping[str, object], path: Path) -> Iterator[Fault]:
    """Yield what forbids to use *variables*, which stand at *path*."""
    for name, value in variables.items():
        here = (*path, name)
        if not _VARIABLE.fullmatch(name):
            yield Fault(
                here,
                f"`{name[:64]}` is no name of a variable",
                "Ansible knows letters, digits and `_`",
                "choose another name",
                at_key=True,
            )
        if name.startswith("ansible_"):
            yield from _lint_connection(name, value, here)
        yield from _lint_templates(value, here)


def _lint_connection(name: str, value: object, path: Path) -> Iterator[Fault]:
    if name not in CONNECTION:
        yield Fault(
            path,
            f"`{name[:64]}` is not obeyed",
            "a connection variable can run commands on this machine or lead to another host",
            f"use only {', '.join(CONNECTION)}",
            at_key=True,
        )
        return
    fits, wanted = CONNECTION[name]
    if not fits(value) and value is not REFUSED:
        yield Fault(path, f"`{name}` is {show(value)}", f"{wanted} is wanted", "correct it")


def _lint_templates(value: object, path: Path) -> Iterator[Fault]:
    match value:
        case str() if _TEMPLATE.search(value):
            yield Fault(
                path,
                f"{show(value)} is a template",
                "inventory values are plain data, the same for Ansible and for the probes",
                "write the value out",
            )
        case dict():
            for key, inner in value.items():
                yield from _lint_templates(key, (*path, key))
                yield from _lint_templates(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _lint_templates(inner, (*path, index))
        case _:
            return
