"""Which files there are below a content root, and the form of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from orchestrator.adapters.content.form import Form
from orchestrator.adapters.content.forms import Forms, Kinds
from orchestrator.adapters.content.inputs import InputForms
from orchestrator.adapters.fences.inputs import FENCE_INPUTS
from orchestrator.domain.checklist import PersonName
from orchestrator.domain.environment import (
    EnvironmentKind,
    EnvironmentName,
    Fence,
    Invariant,
    Person,
    Secret,
    Service,
    ServiceName,
    Site,
    Ssh,
    Watch,
)
from orchestrator.domain.journey import JourneyAction
from orchestrator.domain.playbook import Action, Probe

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFile:
    """``environment.yaml``: the topology. What is missing comes from the environment extended.

    Attributes:
        environment: Its name, which is that of its folder.
        extends: Another environment, from which every missing key and file is taken.
        title: For people.
        kind: How much is at stake.
        sites: Places that can be lost as a whole, and their hosts.
        services: What users or other services depend on.
        ssh: How the controller logs in.
        watch: What users see, and from where it is watched.
        secrets: What journeys refer to as `${secret.NAME}`.
    """

    environment: EnvironmentName
    extends: EnvironmentName | None = None
    title: str | None = None
    kind: EnvironmentKind | None = None
    sites: Mapping[str, Site] | None = None
    services: Mapping[ServiceName, Service] | None = None
    ssh: Ssh | None = None
    watch: Watch | None = None
    secrets: Mapping[str, Secret] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFile:
    """``people.yaml``: who may start, sign or approve.

    Attributes:
        people: By the name that they sign with.
    """

    people: Mapping[PersonName, Person]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantsFile:
    """``invariants.yaml``: what must hold before and after every mutating step.

    Attributes:
        invariants: Each is looked at on every member of its service.
    """

    invariants: tuple[Invariant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyHttp:
    """A request as a user's program sends it.

    Attributes:
        url: Begins with `${place.here}/` or `${place.there}/`.
        method: `GET` unless given.
        json: The body, as plain data.
        headers: Sent with it.
    """

    url: str
    method: str = "GET"
    json: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneySql:
    """A look into the database, which only reads.

    Attributes:
        on: The service that is asked.
        query: With `%(name)s` where a value belongs.
        values: Bound to them.
    """

    on: str
    query: str
    values: Mapping[str, object] = field(default_factory=dict)


JOURNEY_INPUTS: Mapping[str, type] = {"http": JourneyHttp, "sql": JourneySql}


class FileForms:
    """The form of each kind of file; made when first asked for.

    Args:
        action_inputs: The dataclass of each action's inputs, which its adapter owns.
        probe_inputs: The same for probes.
    """

    def __init__(
        self, action_inputs: Mapping[str, type], probe_inputs: Mapping[str, type]
    ) -> None:
        inputs = InputForms(is_bound=False)
        self._forms = Forms(
            {
                Action: _forms_of(action_inputs, inputs),
                Probe: _forms_of(probe_inputs, inputs),
                JourneyAction: _forms_of(JOURNEY_INPUTS, inputs),
                Fence: _forms_of(FENCE_INPUTS, inputs),
            }
        )
        self._made: dict[type, Form[Any]] = {}

    def of(self, cls: type[T]) -> Form[T]:
        """Return the form of the files that become a *cls*."""
        if cls not in self._made:
            self._made[cls] = Form(self._forms.of(cls))
        return self._made[cls]


def _forms_of(types: Mapping[str, type], inputs: InputForms) -> Kinds:
    return {kind: inputs.of(cls) for kind, cls in types.items()}
