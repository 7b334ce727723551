"""Author forms: the domain's own dataclasses, bent to how people write them in YAML.

Nothing is defined twice: each form is derived from a dataclass, so that a field added there can
be written at once. Three things differ. A field may have another name. Kind and inputs of an
action or probe are one key (``sql: {...}``), beside the keys of what holds it. For a list of
probes, one may stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import timedelta
from functools import partial
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from pydantic_core import PydanticCustomError

from orchestrator.adapters.content.attributes import attributes_of, summary_of
from orchestrator.adapters.content.hints import (
    Hint,
    also,
    any_of,
    choice,
    described,
    dict_of,
    list_of,
    mapping_of,
    optional,
    then,
    without_none,
)
from orchestrator.adapters.content.leaves import (
    Duration,
    HostKey,
    Name,
    Number,
    PlainNumber,
    Text,
    Truth,
    Whole,
    refusal,
)
from orchestrator.domain.environment import Fence, HostName, Service
from orchestrator.domain.journey import JourneyAction
from orchestrator.domain.playbook import Action, ChildPlaybook, Probe, Step

RENAMED: Mapping[type, Mapping[str, str]] = {
    Step: {"name": "step"},
    ChildPlaybook: {"given": "with"},
    JourneyAction: {"name": "action"},
}
LEFT_OUT: Mapping[type, frozenset[str]] = {Service: frozenset({"name"})}
"""Fields that are the key under which the value stands."""

KIND_WORDS: Mapping[type, str] = {
    Action: "action",
    Probe: "probe",
    JourneyAction: "action",
    Fence: "fence",
}
"""What has a kind and inputs, and what to call it."""

LEAVES: Mapping[Hint, Hint] = {
    str: Text,
    int: Whole,
    bool: Truth,
    float: Number,
    timedelta: Duration,
    object: Any,
    NoneType: None,
}
BESIDE_OTHERS: Mapping[Hint, Hint] = {**LEAVES, float: PlainNumber}
"""Where text may stand as well, ``16MiB`` is text."""

Kinds = Mapping[str, Hint]
"""The form of the inputs of each kind."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Something with a kind, written as one key beside the keys of what holds it.

    Attributes:
        cls: What has the kind.
        field: Which field of its holder it is; ``None`` where it is the holder itself.
    """

    cls: type
    field: Field[object] | None

    @property
    def is_needed(self) -> bool:
        """True if an author has to write it."""
        return self.field is None or is_required(self.field)


class Forms:
    """Derives author forms; the same dataclass gives the same form."""

    def __init__(self, kinds: Mapping[type, Kinds]) -> None:
        self._kinds = kinds
        self._made: dict[type, Hint] = {}

    def of(self, cls: type) -> Hint:
        """Return a type by which pydantic makes a *cls* of an author's mapping."""
        if cls not in self._made:
            self._made[cls] = self.record(cls)
        return self._made[cls]

    def record(self, cls: type) -> Hint:
        """Return the form of a dataclass."""
        form = self.shape(cls)
        for spread in self._spreads(cls):
            form = also(form, partial(self._complain_of_kinds, spread))
        return then(form, partial(self._build, cls))

    def shape(self, cls: type) -> Hint:
        """Return the keys that an author may write for a *cls*, with their types."""
        hints, about = get_type_hints(cls), attributes_of(cls)
        keys: dict[str, Hint] = {}
        for spread in self._spreads(cls):
            kinds = self._kinds[spread.cls]
            keys |= {kind: optional(inputs) for kind, inputs in kinds.items()}
        for field in self._plain_fields(cls):
            form = described(self._typed(field, hints[field.name]), about.get(field.name))
            keys[key_of(cls, field)] = form if is_required(field) else optional(form)
        one_of = [list(self._kinds[s.cls]) for s in self._spreads(cls) if s.is_needed]
        return mapping_of(cls.__name__, keys, summary_of(cls), one_of)

    def hint(self, hint: Hint) -> Hint:
        """Return the form of any type that the dataclasses use."""
        if hint in LEAVES:
            return LEAVES[hint]
        if isinstance(hint, NewType):
            return HostKey if hint is HostName else Name
        if is_dataclass(hint) and isinstance(hint, type):
            return self.of(hint)
        return self._composed(hint, get_args(hint))

    def beside(self, hint: Hint) -> Hint:
        """Return the form of a scalar beside which others may stand."""
        return BESIDE_OTHERS.get(hint, hint)

    def sequence(self, item: Hint) -> Hint:
        """Return the form of a tuple; a single probe may stand for a list of one."""
        many = then(list_of(self.hint(item)), tuple)
        if item is not Probe:
            return many
        one = then(self.of(Probe), lambda probe: (probe,))
        return choice({"<list>": many, "<one>": one}, _list_or_one)

    def _composed(self, hint: Hint, args: tuple[Hint, ...]) -> Hint:
        origin: Hint = get_origin(hint)
        if origin is tuple:
            return self.sequence(args[0])
        if origin in {Union, UnionType}:
            return self._union(args)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return dict_of(self.hint(args[0]), self.hint(args[1]))
        return hint

    def _typed(self, field: Field[object], hint: Hint) -> Hint:
        """Return the form of a field; nothing written there never stands for its default."""
        return self.hint(without_none(hint) if field.default is None else hint)

    def _union(self, args: tuple[Hint, ...]) -> Hint:
        """Return a choice that looks at the value first, so that only one form complains."""
        records = [arg for arg in args if isinstance(arg, type) and is_dataclass(arg)]
        lists = [arg for arg in args if _is_sequence(arg)]
        scalars = [self.beside(arg) for arg in args if arg not in (*records, *lists)]
        forms = {f"<{record.__name__}>": self.of(record) for record in records}
        if lists:
            forms["<list>"] = self.hint(lists[0])
        if scalars:
            forms["<scalar>"] = any_of(scalars)
        return choice(forms, _tag_by_value(records, list(forms)))

    def _spreads(self, cls: type) -> list[Spread]:
        hints = get_type_hints(cls)
        held = ((field, without_none(hints[field.name])) for field in fields(cls))
        spreads = [Spread(kinded, field) for field, kinded in held if kinded in self._kinds]
        return [Spread(cls, None), *spreads] if cls in self._kinds else spreads

    def _plain_fields(self, cls: type) -> list[Field[object]]:
        """Return the fields that are written under a key of their own."""
        elsewhere = set(LEFT_OUT.get(cls, ()))
        elsewhere |= {spread.field.name for spread in self._spreads(cls) if spread.field}
        elsewhere |= {"kind", "inputs"} if cls in self._kinds else set()
        return [field for field in fields(cls) if field.name not in elsewhere]

    def _build(self, cls: type, given: Mapping[str, object]) -> object:
        values: dict[str, object] = dict.fromkeys(LEFT_OUT.get(cls, ()), "")
        for field in self._plain_fields(cls):
            if key_of(cls, field) in given:
                values[field.name] = given[key_of(cls, field)]
        for spread in self._spreads(cls):
            for kind in self._kinds_in(spread, given):
                inputs = {"kind": _kind_type(spread.cls)(kind), "inputs": given[kind]}
                if spread.field:
                    values[spread.field.name] = spread.cls(**inputs)
                else:
                    values |= inputs
        return cls(**values)

    def _kinds_in(self, spread: Spread, given: Mapping[str, object]) -> list[str]:
        return [kind for kind in given if kind in self._kinds[spread.cls]]

    def _complain_of_kinds(self, spread: Spread, value: object) -> PydanticCustomError | None:
        """Return what is wrong if there is none of the kinds, or several."""
        found = len(self._kinds_in(spread, value)) if isinstance(value, dict) else 1
        if found == 1 or (found == 0 and not spread.is_needed):
            return None
        word = KIND_WORDS[spread.cls]
        return refusal(
            f"exactly one {word} is wanted here",
            f"write one of: {', '.join(self._kinds[spread.cls])}",
            f"there is {'more than one' if found else 'no'} {word}",
        )


def _kind_type(cls: type) -> Callable[[str], object]:
    """Return what makes a kind of a text: ``str``, or an enumeration."""
    made: Callable[[str], object] = get_type_hints(cls)["kind"]
    return made


def key_of(cls: type, field: Field[object]) -> str:
    """Return the key under which an author writes *field*; ``from_`` is written ``from``."""
    return RENAMED.get(cls, {}).get(field.name, field.name.rstrip("_"))


def is_required(field: Field[object]) -> bool:
    """Return whether an author has to write *field*."""
    return field.default is MISSING and field.default_factory is MISSING


def _is_sequence(hint: Hint) -> bool:
    origin: Hint = get_origin(hint)
    return origin is tuple


def _tag_by_value(records: Sequence[type], tags: Sequence[str]) -> Callable[[object], str]:
    def tag_for(value: object) -> str:
        match value:
            case dict() if records:
                named = (r for r in records if key_of(r, fields(r)[0]) in value)
                return f"<{next(named, records[0]).__name__}>"
            case list() if "<list>" in tags:
                return "<list>"
            case _:
                return "<scalar>" if "<scalar>" in tags else tags[0]

    return tag_for


def _list_or_one(value: object) -> str:
    return "<list>" if isinstance(value, list) else "<one>"
