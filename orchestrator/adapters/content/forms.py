"""Author forms: the domain's own dataclasses, bent to how people write them in YAML.

Nothing is defined twice: each form is derived from a dataclass, so that a field added there can
be written at once. Three things differ. A field may have another name. A field that is an action
or a probe is spread: its kind is the key (``sql: {...}``). For a list of probes, one may stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
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
from orchestrator.domain.environment import HostName, Service
from orchestrator.domain.playbook import Action, Probe, Step

RENAMED: Mapping[type, Mapping[str, str]] = {Step: {"name": "step"}}
LEFT_OUT: Mapping[type, frozenset[str]] = {Service: frozenset({"name"})}
"""Fields that are the key under which the value stands."""

SPREAD: Mapping[type, str] = {Action: "action", Probe: "probe"}
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


class Forms:
    """Derives author forms; the same dataclass gives the same form.

    Args:
        actions: The form of the inputs of each kind of action.
        probes: The form of the inputs of each kind of probe.
    """

    def __init__(self, actions: Kinds, probes: Kinds) -> None:
        self._kinds: Mapping[type, Kinds] = {Action: actions, Probe: probes}
        self._made: dict[type, Hint] = {}

    def of(self, cls: type) -> Hint:
        """Return a type by which pydantic makes a *cls* of an author's mapping."""
        if cls not in self._made:
            self._made[cls] = self._spread(cls) if cls in SPREAD else self.record(cls)
        return self._made[cls]

    def record(self, cls: type) -> Hint:
        """Return the form of an ordinary dataclass."""
        form = then(self.shape(cls), partial(self._build, cls))
        for field, spread in self._spread_fields(cls):
            form = self._with_one_kind(form, spread, is_needed=is_required(field))
        return form

    def shape(self, cls: type) -> Hint:
        """Return the keys that an author may write for a *cls*, with their types."""
        hints, about = get_type_hints(cls), attributes_of(cls)
        keys: dict[str, Hint] = {}
        one_of: list[list[str]] = []
        for field in fields(cls):
            spread = without_none(hints[field.name])
            if spread in SPREAD:
                keys |= self._optional_kinds(spread)
                one_of += [list(self._kinds[spread])] if is_required(field) else []
            elif field.name not in LEFT_OUT.get(cls, ()):
                form = described(self._typed(field, hints[field.name]), about.get(field.name))
                keys[key_of(cls, field)] = form if is_required(field) else optional(form)
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
        if origin is not None and issubclass(origin, Mapping):
            return dict_of(self.hint(args[0]), self.hint(args[1]))
        return hint

    def _typed(self, field: Field[object], hint: Hint) -> Hint:
        """Return the form of a field; nothing written there never stands for its default."""
        return self.hint(without_none(hint) if field.default is None else hint)

    def _union(self, args: tuple[Hint, ...]) -> Hint:
        """Return a choice that looks at the value first, so that only one form complains."""
        records = [arg for arg in args if isinstance(arg, type) and is_dataclass(arg)]
        lists = [arg for arg in args if _is_sequence(arg)]
        scalars = [BESIDE_OTHERS.get(arg, arg) for arg in args if arg not in (*records, *lists)]
        forms = {f"<{record.__name__}>": self.of(record) for record in records}
        if lists:
            forms["<list>"] = self.hint(lists[0])
        if scalars:
            forms["<scalar>"] = any_of(scalars)
        return choice(forms, _tag_by_value(records, list(forms)))

    def _spread(self, cls: type) -> Hint:
        """Return the form of an action or probe that stands alone: one key, its kind."""
        keys = self._optional_kinds(cls)
        shape = mapping_of(cls.__name__, keys, summary_of(cls), [list(keys)])
        return self._with_one_kind(then(shape, partial(self._take_kind, cls)), cls, is_needed=True)

    def _optional_kinds(self, cls: type) -> dict[str, Hint]:
        return {kind: optional(inputs) for kind, inputs in self._kinds[cls].items()}

    def _spread_fields(self, cls: type) -> list[tuple[Field[object], type]]:
        hints = get_type_hints(cls)
        kinds = ((field, without_none(hints[field.name])) for field in fields(cls))
        return [(field, kind) for field, kind in kinds if kind in SPREAD]

    def _build(self, cls: type, given: Mapping[str, object]) -> object:
        values: dict[str, object] = dict.fromkeys(LEFT_OUT.get(cls, ()), "")
        for field, spread in self._spread_fields(cls):
            if self._kinds_in(spread, given):
                values[field.name] = self._take_kind(spread, given)
        for field in fields(cls):
            if key_of(cls, field) in given:
                values[field.name] = given[key_of(cls, field)]
        return cls(**values)

    def _kinds_in(self, cls: type, given: Mapping[str, object]) -> list[str]:
        return [kind for kind in given if kind in self._kinds[cls]]

    def _take_kind(self, cls: type, given: Mapping[str, object]) -> object:
        kind = self._kinds_in(cls, given)[0]
        return cls(kind=kind, inputs=given[kind])

    def _with_one_kind(self, form: Hint, cls: type, *, is_needed: bool) -> Hint:
        """Return *form*, which complains as well if there is none of the kinds, or several."""

        def complaint(value: object) -> PydanticCustomError | None:
            found = len(self._kinds_in(cls, value)) if isinstance(value, dict) else 1
            if found == 1 or (found == 0 and not is_needed):
                return None
            return refusal(
                f"exactly one {SPREAD[cls]} is wanted here",
                f"write one of: {', '.join(self._kinds[cls])}",
                f"there is {'more than one' if found else 'no'} {SPREAD[cls]}",
            )

        return also(form, complaint)


def key_of(cls: type, field: Field[object]) -> str:
    """Return the key under which an author writes *field*."""
    return RENAMED.get(cls, {}).get(field.name, field.name)


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
