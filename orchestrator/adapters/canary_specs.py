"""What the canaries of an environment are told: where clients go in, as whom, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from orchestrator.adapters.canary.spec import CanarySpec, MarkerSpec, WalkSpec
from orchestrator.adapters.journey_walker import Surroundings
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.targets import member_of
from orchestrator.domain.environment import Environment, ServiceName
from orchestrator.domain.journey import Journey
from orchestrator.domain.observation import STANDING

TURN_BYTES = 8 << 20
"""A standing watch fills so much in an hour and a half; twice as much is kept."""


class CanarySpecs:
    """Reads passwords at the moment of use; a specification holds them."""

    def __init__(self, environment: Environment, secrets: SecretStore) -> None:
        self._environment = environment
        self._secrets = secrets

    def for_run(self, run: str) -> CanarySpec:
        """Return what the canary of one run does."""
        watch = self._environment.watch
        return CanarySpec(
            run=run,
            markers=self._markers(watch.marker_every),
            walks=self._walks(self._usual_journey, watch.walk_every),
        )

    def for_standing(self) -> CanarySpec:
        """Return what the one does that watches in peace, until somebody stops it."""
        watch = self._environment.watch
        return CanarySpec(
            run=STANDING,
            markers=self._markers(watch.standing_every),
            walks=self._walks(self._usual_journey, watch.standing_walk_every),
            max_duration_s=None,
            turn_bytes=TURN_BYTES,
        )

    def for_walks(self, run: str, journey: Journey) -> CanarySpec:
        """Return how *journey* is walked."""
        return CanarySpec(run=run, walks=self._walks(journey, self._environment.watch.walk_every))

    @property
    def _usual_journey(self) -> Journey:
        return self._environment.journeys[self._environment.watch.journey]

    def _markers(self, every: timedelta) -> MarkerSpec:
        watch = self._environment.watch
        service = self._environment.services[watch.service]
        return MarkerSpec(
            database=self._way_to(service.entry or service.name, service.database),
            table=watch.table,
            every_ms=every / timedelta(milliseconds=1),
        )

    def _walks(self, journey: Journey, every: timedelta) -> WalkSpec:
        base_urls = {member: self._base_url(member) for member in journey.members}
        return WalkSpec(
            journey=journey.bound_to(base_urls),
            surroundings=Surroundings(
                databases={name: self._way_to(name, "") for name in journey.databases},
                secrets={
                    name: self._secrets.read(self._environment.secrets[name])
                    for name in journey.secrets
                },
            ),
            every_ms=every / timedelta(milliseconds=1),
        )

    def _base_url(self, target: str) -> str:
        member = member_of(self._environment, target)
        return f"http://{member.host.address}:{member.port}"

    def _way_to(self, service_name: str, database: str) -> Mapping[str, str | int]:
        """Return libpq's parameters for a service, as clients reach it."""
        service = self._environment.services[ServiceName(service_name)]
        member = member_of(self._environment, f"{service.name}/{service.members[0]}")
        account = service.accounts[self._environment.watch.account]
        password = self._secrets.read(account.password) if account.password else ""
        return {
            "host": member.host.address,
            "port": member.port,
            "dbname": database or self._database_behind(service.name),
            "user": account.user,
            "password": password,
        }

    def _database_behind(self, service_name: str) -> str:
        """Return the database that clients of a service, or of an entry to one, use."""
        services = self._environment.services.values()
        behind = next((s for s in services if s.entry == service_name), None)
        return (behind or self._environment.services[ServiceName(service_name)]).database
