"""Which member is, or was, what: decided from what all of them said. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.adapters.standing_postgresql import Standing
from orchestrator.adapters.targets import port_on
from orchestrator.adapters.trouble import Trouble
from orchestrator.domain.environment import Host, HostName
from orchestrator.domain.plan import Roles

SYNCHRONOUS = ("sync", "quorum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What each member of a service said of itself, or why it said nothing.

    Attributes:
        port: The service's: a number, or the inventory variable that holds it.
        hosts: The members, in order of preference.
    """

    port: int | str
    hosts: Mapping[HostName, Host]
    seen: Mapping[HostName, Standing | Trouble]

    @property
    def roles(self) -> Roles:
        """Decide. Without a primary it takes the word of the standbys, if they agree."""
        writable = [name for name, seen in self.seen.items() if _is_writable(seen)]
        match writable:
            case [primary]:
                return self._roles_below(primary)
            case []:
                return self._roles_without_primary()
            case _:
                return Roles(primary="", standbys=(), reasons=self._words)

    def _roles_below(self, primary: HostName) -> Roles:
        others = {name: seen for name, seen in self.seen.items() if name != primary}
        sync_states = self._sync_states(primary)
        reasons: dict[str, str] = {
            name: reason
            for name, seen in others.items()
            if (reason := _unfit(seen, sync_states.get(name, ""), primary))
        }
        fit = [name for name in others if name not in reasons]

        def merit(name: HostName) -> tuple[bool, bool]:
            return sync_states[name] not in SYNCHRONOUS, not self._are_near(name, primary)

        best_first = sorted(fit, key=merit)
        return Roles(
            primary=primary,
            standbys=tuple(best_first),
            reasons=reasons,
            last_primary=primary,
            candidates=self._candidates(primary),
            strayed=tuple(name for name in others if name not in sync_states),
        )

    def _roles_without_primary(self) -> Roles:
        last = self._last_primary()
        return Roles(
            primary="",
            standbys=(),
            reasons=self._words,
            last_primary=last or "",
            candidates=self._candidates(last) if last else (),
        )

    @property
    def _words(self) -> Mapping[str, str]:
        return {name: self._words_for(seen) for name, seen in self.seen.items()}

    def _words_for(self, seen: Standing | Trouble) -> str:
        if isinstance(seen, Trouble):
            return _silence(seen)
        if not seen.is_standby:
            return "takes writes"
        followed = " or ".join(sorted(self._followed_by(seen))) or "nobody"
        delay = ", and replays with a delay" if seen.is_delayed else ""
        return f"is a standby of {followed}{delay}"

    @property
    def _standbys(self) -> Mapping[HostName, Standing]:
        return {
            name: seen
            for name, seen in self.seen.items()
            if isinstance(seen, Standing) and seen.is_standby
        }

    def _last_primary(self) -> HostName | None:
        """Return the one member that every standby may have followed.

        A standby that followed another one testifies to nothing: that one speaks for both.
        """
        standbys = self._standbys
        named = (self._followed_by(seen).difference(standbys) for seen in standbys.values())
        testimony = [names for names in named if names]
        suspects = frozenset.intersection(*testimony) if testimony else frozenset()
        known = (name for name in self.hosts if name in suspects)
        return next(known, None) if len(suspects) == 1 else None

    def _followed_by(self, standing: Standing) -> frozenset[str]:
        """Return the members that it streamed from; a stranger by its address and port."""
        return frozenset(self._name_at(*upstream) for upstream in standing.upstreams)

    def _name_at(self, address: str, port: int) -> str:
        known = (
            name
            for name, host in self.hosts.items()
            if address in {name, host.address, host.reached_at}
            and port == port_on(host, self.port)
        )
        return next(known, f"{address}:{port}")

    def _candidates(self, last: HostName) -> tuple[str, ...]:
        """Sort: who knows more, then who replays, then who is near *last*, then as written."""
        standbys = self._standbys
        related = {last, *standbys}
        fit = {
            name: seen
            for name, seen in standbys.items()
            if not seen.is_delayed and self._followed_by(seen) & related
        }

        def merit(name: HostName) -> tuple[int, int, bool, bool]:
            timeline, received = fit[name].position
            return -timeline, -received, fit[name].is_paused, not self._are_near(name, last)

        return tuple(sorted(fit, key=merit))

    def _sync_states(self, primary: HostName) -> Mapping[HostName, str]:
        """Return how each member that streams from *primary* follows it."""
        standing = self.seen[primary]
        followers = standing.followers if isinstance(standing, Standing) else ()
        return {
            name: follower.sync_state
            for follower in reversed(followers)
            for name, host in self.hosts.items()
            if follower.name == name or follower.address == host.address
        }

    def _are_near(self, name: HostName, other: HostName) -> bool:
        return self.hosts[name].site == self.hosts[other].site


def _is_writable(seen: Standing | Trouble) -> bool:
    return isinstance(seen, Standing) and not seen.is_standby


def _silence(trouble: Trouble) -> str:
    return f"does not answer ({trouble.kind})"


def _unfit(seen: Standing | Trouble, sync_state: str, primary: HostName) -> str:
    """Return why a member cannot take over from *primary*; empty if it can."""
    if isinstance(seen, Trouble):
        return _silence(seen)
    if not sync_state:
        return f"does not stream from {primary}"
    if not seen.hears_primary:
        return f"has not heard of {primary} lately"
    if seen.is_paused:
        return "its replay is paused"
    return "it replays with a delay" if seen.is_delayed else ""
