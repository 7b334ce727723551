"""Walks a journey as a user would, from the machine on which it runs."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import cast

from orchestrator.adapters.journey_database import JourneyDatabase
from orchestrator.adapters.journey_http import JourneyBrowser
from orchestrator.adapters.journey_replies import (
    ActionFailed,
    DeadlinePassed,
    Reply,
    check_reply,
    kept_from,
)
from orchestrator.domain.journey import Journey, JourneyAction, JourneyActionKind, fill

_TRY_AGAIN_AFTER_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a walk needs beside its journey.

    Attributes:
        databases: libpq's connection parameters for each service that the journey asks by SQL.
        secrets: Values by name. They appear in no result.
    """

    databases: Mapping[str, Mapping[str, str | int]] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkResult:
    """What one walk came to. Times are seconds of the monotonic clock.

    Attributes:
        since: When the action that failed was first tried; if all passed, when it began.
        took_s: Duration of each action that was tried, by its name, in order.
        action: The action that failed, if any; ``error`` says why.
        receipts: Writes that were acknowledged.
    """

    sent: float
    since: float
    done: float
    took_s: Mapping[str, float]
    action: str = ""
    error: str = ""
    receipts: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """True if every action gave what it promises."""
        return not self.action


class JourneyWalker:
    """Walks one journey, time after time. Not to be shared between threads."""

    def __init__(self, journey: Journey, surroundings: Surroundings) -> None:
        self._journey = journey
        self._secrets = surroundings.secrets
        self._tls = ssl.create_default_context()
        self._databases = {
            name: JourneyDatabase(parameters)
            for name, parameters in surroundings.databases.items()
        }

    def walk(self, number: int, *, reference: str, within_s: float) -> WalkResult:
        """Walk once, at the place whose turn it is, and say how far it got."""
        sent = time.monotonic()
        deadline = sent + within_s
        with closing(JourneyBrowser(self._tls, deadline=deadline)) as browser:
            walk = _Walk(
                browser=browser,
                databases=self._databases,
                deadline=deadline,
                values=self._first_values(number, reference),
            )
            stumble = walk.go(self._journey.actions)
        return WalkResult(
            sent=sent,
            since=stumble.since if stumble else sent,
            done=time.monotonic(),
            took_s=walk.took_s,
            action=stumble.action if stumble else "",
            error=self._redact(stumble.error) if stumble else "",
            receipts=tuple(walk.receipts),
        )

    def close(self) -> None:
        """Hang up on the databases."""
        for database in self._databases.values():
            database.close()

    def _first_values(self, number: int, reference: str) -> dict[str, object]:
        place = self._journey.places[number % len(self._journey.places)]
        secrets = {f"secret.{name}": value for name, value in self._secrets.items()}
        return {
            "place.here": place.here,
            "place.there": place.there,
            "walk.reference": reference,
            **secrets,
        }

    def _redact(self, text: str) -> str:
        for secret in filter(None, self._secrets.values()):
            text = text.replace(secret, "***")
        return text


@dataclass(frozen=True, slots=True)
class _Stumble:
    action: str
    since: float
    error: str


@dataclass(slots=True, kw_only=True)
class _Walk:
    """One walk under way: what it has kept so far, and how long it may still take."""

    browser: JourneyBrowser
    databases: Mapping[str, JourneyDatabase]
    deadline: float
    values: dict[str, object]
    took_s: dict[str, float] = field(default_factory=dict)
    receipts: list[str] = field(default_factory=list)

    def go(self, actions: tuple[JourneyAction, ...]) -> _Stumble | None:
        """Perform *actions* until one fails."""
        for action in actions:
            began = time.monotonic()
            try:
                self._perform(action)
                if action.receipt:
                    self.receipts.append(str(fill(action.receipt, self.values)))
            except ActionFailed as failure:
                return _Stumble(action.name, began, str(failure))
            except KeyError as missing:
                return _Stumble(action.name, began, f"refers to {missing}, not known here")
            finally:
                self.took_s[action.name] = time.monotonic() - began
        return None

    def _perform(self, action: JourneyAction) -> None:
        """Do *action*; a read with patience is tried until it holds or the time is over."""
        patient_until = min(self.deadline, time.monotonic() + action.patience.total_seconds())
        while True:
            try:
                return self._try(action)
            except DeadlinePassed:
                raise
            except ActionFailed:
                if time.monotonic() + _TRY_AGAIN_AFTER_S >= patient_until:
                    raise
            threading.Event().wait(_TRY_AGAIN_AFTER_S)

    def _try(self, action: JourneyAction) -> None:
        if action.kind is JourneyActionKind.HTTP:
            reply = self.browser.request(action.inputs, self.values)
        else:
            reply = self._query(action.inputs)
        check_reply(action, reply, self.values)
        self.values.update(kept_from(action, reply))

    def _query(self, inputs: Mapping[str, object]) -> Reply:
        name = str(inputs["on"])
        if name not in self.databases:
            raise ActionFailed(f"no way to the database {name} was given")
        values = cast(Mapping[str, object], fill(inputs.get("values", {}), self.values))
        rows = self.databases[name].read(str(inputs["query"]), values, deadline=self.deadline)
        return {"rows": len(rows), "row": rows[0] if rows else {}}
