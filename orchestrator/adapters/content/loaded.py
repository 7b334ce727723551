"""A value of the domain, and where in which file each part of it was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from orchestrator.domain.problem import Path, Position

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[T]):
    """What was loaded.

    Attributes:
        value: The domain's value.
        files: Every file that it was read from, and for a playbook every file of its folder.
        locate: From a path (as written in YAML) to its place. What is not written leads to the
            place of what holds it.
    """

    value: T
    files: tuple[str, ...]
    locate: Callable[[Path], Position]
