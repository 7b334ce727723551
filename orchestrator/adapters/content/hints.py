"""Types made at run time for pydantic, where annotations cannot spell them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin

import pydantic
from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from typing_extensions import TypedDict  # pydantic refuses the one of Python 3.11

Hint = Any
"""A type as annotations have it; typing has no name for that."""

_subscript: Callable[[Any, Any], Hint] = operator.getitem
_typed_dict: Any = TypedDict


def list_of(item: Hint) -> Hint:
    """Return ``list[item]``."""
    return _subscript(list, item)


def dict_of(key: Hint, value: Hint) -> Hint:
    """Return ``dict[key, value]``."""
    return _subscript(dict, (key, value))


def any_of(hints: Sequence[Hint]) -> Hint:
    """Return the plain union of *hints*."""
    return _subscript(Union, tuple(hints))


def literal_of(words: Sequence[str]) -> Hint:
    """Return the type that has just *words*."""
    return _subscript(Literal, tuple(words))


def optional(hint: Hint) -> Hint:
    """Mark what may be left out of a mapping."""
    return _subscript(NotRequired, hint)


def described(hint: Hint, about: str | None) -> Hint:
    """Return *hint* with a description for the JSON Schema."""
    return _subscript(Annotated, (hint, pydantic.Field(description=about)))


def then(hint: Hint, make: Callable[[Any], object]) -> Hint:
    """Return *hint* with *make* called on what is valid."""
    return _subscript(Annotated, (hint, AfterValidator(make)))


def without_none(hint: Hint) -> Hint:
    """Return *hint* without ``None`` in it, if it is a union."""
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    return any_of([arg for arg in get_args(hint) if arg is not NoneType])


def mapping_of(
    name: str, keys: Mapping[str, Hint], about: str, one_of: list[list[str]] | None = None
) -> Hint:
    """Return the type of mappings with these keys and no others.

    Args:
        name: Of the type, in the JSON Schema.
        keys: The type of each; ``NotRequired[...]`` where it may be left out.
        about: Described so in the JSON Schema.
        one_of: Groups of keys of which exactly one must be there. For the JSON Schema.
    """
    extra: dict[str, Any] = {"description": about}
    if one_of:
        extra["allOf"] = [
            {"oneOf": [{"required": [key]} for key in group]} for group in one_of if group
        ]
    made: Hint = _typed_dict(name, dict(keys))
    made.__pydantic_config__ = ConfigDict(extra="forbid", json_schema_extra=extra)
    return made


def choice(forms: Mapping[str, Hint], tag_for: Callable[[object], str]) -> Hint:
    """Return the union of *forms*, where *tag_for* tells by the value which one it is to be."""
    if len(forms) == 1:
        return next(iter(forms.values()))
    tagged = [_subscript(Annotated, (form, Tag(tag))) for tag, form in forms.items()]
    return _subscript(Annotated, (any_of(tagged), Discriminator(tag_for)))


def also(hint: Hint, complaint: Callable[[object], PydanticCustomError | None]) -> Hint:
    """Return *hint* with one more *complaint* about a value, which hides none of the others."""

    def check(value: object, validate: ValidatorFunctionWrapHandler) -> object:
        own = complaint(value)
        try:
            valid = validate(value)
        except ValidationError as error:
            if own is None:
                raise
            others = [_restated(detail) for detail in error.errors(include_url=False)]
            lines = [*others, InitErrorDetails(type=own, input=value)]
            raise ValidationError.from_exception_data("form", lines) from None
        if own is not None:
            raise own
        return valid

    return _subscript(Annotated, (hint, WrapValidator(check)))


def _restated(detail: ErrorDetails) -> InitErrorDetails:
    context = detail.get("ctx", {})
    kind = detail["type"]
    own = PydanticCustomError("refused", "{why}", context)
    return InitErrorDetails(
        type=own if kind == "refused" else kind,
        loc=detail["loc"],
        input=detail["input"],
        ctx=context,
    )
