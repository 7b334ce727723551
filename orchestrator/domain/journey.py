"""What a real user does, end to end, and how values travel from one action to the next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from orchestrator.domain.expectation import Condition, Expectation
from orchestrator.domain.playbook import JourneyName

_REFERENCE = re.compile(r"\$\{([a-z0-9_.-]+)\}")
_READS = frozenset({"GET", "HEAD"})


class JourneyActionKind(StrEnum):
    """What a user, or a synthetic one, can do."""

    HTTP = "http"
    SQL = "sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyAction:
    """One thing a user does, and what they expect of it.

    Inputs and expectations may refer to ``${place.here}``, ``${place.there}``,
    ``${walk.reference}`` (unique in each walk), ``${secret.NAME}`` and ``${kept.NAME}``. What
    was kept from a reply is data: it is filled in once and never looked at for references.

    Attributes:
        kind: ``http`` has the inputs ``method``, ``url``, ``json``, ``headers``; ``sql`` has
            ``on`` (a service), ``query`` and ``values`` (bound to ``%(name)s``), and only reads.
        expect: Conditions on what came back, by path: ``status``, ``json.order.id``,
            ``json.items.0.name``; for SQL ``rows`` (their number) and ``row.COLUMN``.
        keep: Path of the value to be kept, by name.
        patience: How long a read is tried again until it meets its expectations.
        receipt: Noted when the action has passed: a write that was acknowledged and has to
            be found again.
    """

    name: str
    kind: JourneyActionKind
    inputs: Mapping[str, object]
    expect: Mapping[str, Expectation] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    patience: timedelta = timedelta(0)
    receipt: str = ""

    def __post_init__(self) -> None:
        if self.patience and not self.is_read:
            raise ValueError(f"{self.name}: only a read may have patience, a write is sent once")
        if self.kind is JourneyActionKind.HTTP and not self._stays_in_place:
            raise ValueError(f"{self.name}: url must begin with ${{place.here}}/ or the like")

    @property
    def is_read(self) -> bool:
        """True if trying it again changes nothing."""
        return self.kind is JourneyActionKind.SQL or self.inputs.get("method", "GET") in _READS

    @property
    def _stays_in_place(self) -> bool:
        """A reply must not be able to choose the host that is asked next."""
        url = str(self.inputs.get("url", ""))
        return url.startswith(("${place.here}/", "${place.there}/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a walk takes place.

    Each is a member (``shop/app-a1``) as written, and a base URL once bound.

    Attributes:
        here: Where the user acts.
        there: Where what they did is read back, so that it is seen by another path.
    """

    here: str
    there: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What a real user does, end to end. Walks take its places in turn."""

    journey: JourneyName
    title: str
    places: tuple[Place, ...]
    actions: tuple[JourneyAction, ...]

    def __post_init__(self) -> None:
        if not self.places or not self.actions:
            raise ValueError(f"journey {self.journey}: needs a place and an action")

    @property
    def members(self) -> tuple[str, ...]:
        """Every member that it goes to, sorted."""
        return tuple(sorted({end for place in self.places for end in (place.here, place.there)}))

    @property
    def databases(self) -> tuple[str, ...]:
        """Every service that it asks by SQL, sorted."""
        asked = (a.inputs for a in self.actions if a.kind is JourneyActionKind.SQL)
        return tuple(sorted({str(inputs.get("on", "")) for inputs in asked}))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Names of the secrets that it needs, sorted."""
        names = (name for action in self.actions for name in references_in(action.inputs))
        return tuple(sorted({n.removeprefix("secret.") for n in names if n.startswith("secret.")}))

    def bound_to(self, base_urls: Mapping[str, str]) -> Journey:
        """Return the same journey with each member replaced by its base URL.

        Raises:
            KeyError: If *base_urls* lacks one of ``members``.
        """
        places = tuple(
            Place(here=base_urls[place.here], there=base_urls[place.there])
            for place in self.places
        )
        return replace(self, places=places)


def references_in(value: object) -> Iterator[str]:
    """Find the names in every ``${name}`` of *value*, at any depth."""
    match value:
        case str():
            yield from _REFERENCE.findall(value)
        case Mapping():
            for inner in value.values():
                yield from references_in(inner)
        case list() | tuple():
            for inner in value:
                yield from references_in(inner)
        case Condition():
            yield from references_in([value.one_of, value.matches, value.differs_from])
        case _:
            return


def fill(value: object, values: Mapping[str, object]) -> object:
    """Return *value* with each ``${name}`` replaced, in one pass.

    A text that is nothing but one reference takes the type of what it stands for.

    Raises:
        KeyError: With the name that is not among *values*.
    """
    match value:
        case str():
            if whole := _REFERENCE.fullmatch(value):
                return values[whole[1]]
            return _REFERENCE.sub(lambda found: str(values[found[1]]), value)
        case Mapping():
            return {key: fill(inner, values) for key, inner in value.items()}
        case list() | tuple():
            return [fill(inner, values) for inner in value]
        case _:
            return value
