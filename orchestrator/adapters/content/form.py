"""A document against its form: a value of the domain, or everything that is wrong."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import TaggedUnionSchema

from orchestrator.adapters.content.documents import REFUSED, Document
from orchestrator.adapters.content.schema_paths import Schema
from orchestrator.adapters.content.wording import explain
from orchestrator.domain.problem import Fault, Problem

T = TypeVar("T")


MOST_VALUES = 10_000
_TOO_MANY = Fault(
    (),
    f"there are more than {MOST_VALUES} values",
    "nobody could review them",
    "split the file",
)


class _AuthorSchema(GenerateJsonSchema):
    """Without made-up titles, and lenient where two forms overlap.

    A text such as ``${target}`` may be a reference and a text at once, which ``oneOf`` forbids.
    """

    def field_title_should_be_set(self, schema: object) -> bool:
        """Refuse the titles that pydantic makes up."""
        del schema
        return False

    def tagged_union_schema(self, schema: TaggedUnionSchema) -> dict[str, Any]:
        """Return a choice of which any may fit."""
        made = super().tagged_union_schema(schema)
        made["anyOf"] = made.pop("oneOf")
        return made


class Form(Generic[T]):
    """What one kind of file may say.

    Args:
        hint: A type that pydantic knows, made by `Forms`.
    """

    def __init__(self, hint: Any) -> None:  # noqa: ANN401  # typing has no name for annotations
        self._adapter: TypeAdapter[T] = TypeAdapter(hint)

    @cached_property
    def schema(self) -> Schema:
        """The form as JSON Schema, in the author's words."""
        return self._adapter.json_schema(schema_generator=_AuthorSchema)

    def read(self, document: Document) -> tuple[T | None, tuple[Problem, ...]]:
        """Return what *document* says, or ``None`` with the reasons; syntax errors included."""
        if document.value is REFUSED:
            return None, document.problems
        if len(document.places) > MOST_VALUES:
            return None, (placed(_TOO_MANY, document),)
        value, faults = self.check(document)
        taken = {problem.position for problem in document.problems}
        found = (placed(fault, document) for fault in faults)
        problems = (
            *document.problems,
            *(problem for problem in found if problem.position not in taken),
        )
        return (None if problems else value), problems

    def check(self, document: Document) -> tuple[T | None, tuple[Fault, ...]]:
        """Return what the plain value says, or ``None`` with what is wrong with it."""
        try:
            return self._adapter.validate_python(document.value), ()
        except ValidationError as error:
            return None, tuple(explain(error, self.schema, document))


def placed(fault: Fault, document: Document) -> Problem:
    """Return *fault* with its place: of the key if that is what is wrong, else of the value."""
    return Problem(
        position=document.at_key(fault.path) if fault.at_key else document.at(fault.path),
        what=fault.what,
        why=fault.why,
        remedy=fault.remedy,
    )
