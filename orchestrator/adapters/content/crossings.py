"""References from one file to another: what is named must be there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from orchestrator.adapters.content.wording import suggestion
from orchestrator.domain.checklist import Checklist, ChecklistItem
from orchestrator.domain.environment import Environment, Fence, Invariant, Service
from orchestrator.domain.journey import Journey
from orchestrator.domain.playbook import ChecklistName, Playbook, Step
from orchestrator.domain.problem import Fault, Path
from orchestrator.domain.reference import references_in
from orchestrator.engine.describing import FENCE
from orchestrator.engine.linting import repetitions
from orchestrator.engine.tracing import Finding

MEMBER_ROOTS = ("member", "services", "hosts")
"""What an invariant's probe and a fence may refer to: they belong to no playbook."""


def lint_environment(environment: Environment) -> tuple[Fault, ...]:
    """Return what does not fit together in *environment*; paths as its locator knows them."""
    return (
        *_lint_sites(environment),
        *_lint_services(environment),
        *_lint_watch(environment),
        *_lint_policy(environment),
        *_lint_invariants(environment),
        *_lint_journeys(environment),
    )


def absent(path: Path, word: str, name: str, known: Iterable[str]) -> Iterator[Fault]:
    """Yield a fault if *name* is not among *known*."""
    names = list(known)
    if name not in names:
        yield Fault(
            path,
            f"there is no {word} `{name[:64]}`",
            "it is referred to here",
            suggestion(name, names),
        )


def _absent_host(path: Path, host: str, environment: Environment) -> Iterator[Fault]:
    """Yield a fault if there is no *host*; where there is none at all, that is told once."""
    if environment.hosts:
        yield from absent(path, "host", host, environment.hosts)


def _lint_sites(environment: Environment) -> Iterator[Fault]:
    if not environment.hosts:
        yield Fault(
            ("hosts",),
            "the inventory has no host",
            "nothing can be recovered without one",
            "write the hosts into `inventory.yaml`",
        )
    placed: Counter[str] = Counter()
    for name, site in environment.sites.items():
        for index, host in enumerate(site.hosts):
            path = ("sites", name, "hosts", index)
            yield from _absent_host(path, host, environment)
            placed[host] += 1
            if placed[host] > 1:
                yield Fault(
                    path,
                    f"`{host}` is in another site already",
                    "a host is lost with one site",
                    "remove one of the two",
                )
    for host in environment.hosts:
        if not placed[host]:
            yield Fault(
                ("hosts", host),
                f"`{host}` is in no site",
                "nobody could tell with which site it is lost",
                "name it in `sites:` of environment.yaml",
            )


def _lint_services(environment: Environment) -> Iterator[Fault]:
    for name, service in environment.services.items():
        path = ("services", name)
        if not service.members:
            yield Fault(
                (*path, "members"), f"`{name}` has no members", "nobody provides it", "name a host"
            )
        for index, host in enumerate(service.members):
            yield from _absent_host((*path, "members", index), host, environment)
        for index, host in enumerate(service.places):
            yield from _absent_host((*path, "places", index), host, environment)
        yield from _lint_repeated_members(service, path)
        yield from _lint_port(service, environment, path)
        if service.entry:
            yield from absent((*path, "entry"), "service", service.entry, environment.services)
        yield from _lint_fences(service.fences, (*path, "fences"))


def _lint_fences(fences: Sequence[Fence], path: Path) -> Iterator[Fault]:
    yield from repetitions([fence.fence for fence in fences], path, "fence")
    for index, fence in enumerate(fences):
        if fence.within <= timedelta(0):
            yield Fault(
                (*path, index, "within"),
                f"`{fence.fence}` has no time",
                "it would never be closed",
                "write more than 0s",
            )
        for reference in references_in(fence.inputs, (*path, index, fence.kind)):
            yield from absent(reference.path, "value", reference.root, MEMBER_ROOTS)


def _lint_repeated_members(service: Service, path: Path) -> Iterator[Fault]:
    for fault in repetitions(service.members, (*path, "members"), ""):
        yield Fault(fault.path[:-1], fault.what, fault.why, "remove one of the two")


def _lint_port(service: Service, environment: Environment, path: Path) -> Iterator[Fault]:
    if isinstance(service.port, int):
        if not 0 < service.port < 65536:
            yield Fault(
                (*path, "port"),
                f"`{service.port}` is no port",
                "ports go from 1 to 65535",
                "correct it",
            )
        return
    for host in service.members:
        known = environment.hosts[host].variables if host in environment.hosts else None
        if known is not None and not isinstance(known.get(service.port), int):
            yield Fault(
                (*path, "port"),
                f"`{service.port}` is no port of `{host}`",
                "it must be an inventory variable of each member, a number",
                suggestion(service.port, [key for key in known if "port" in key]),
            )


def _lint_watch(environment: Environment) -> Iterator[Fault]:
    watch = environment.watch
    yield from _absent_host(("watch", "host"), watch.host, environment)
    yield from absent(("watch", "journey"), "journey", watch.journey, environment.journeys)
    yield from absent(("watch", "service"), "service", watch.service, environment.services)
    service = environment.services.get(watch.service)
    if service:
        path = ("watch", "account")
        yield from absent(path, f"account of `{service.name}`", watch.account, service.accounts)


def _lint_policy(environment: Environment) -> Iterator[Fault]:
    held = roles_of(environment)
    if not environment.policy.start:
        yield Fault(
            ("policy", "start"), "nobody may start a run", "it lists no role", "add a role"
        )
    for index, role in enumerate(environment.policy.start):
        yield from absent(("policy", "start", index), "person with the role", role, held)


def roles_of(environment: Environment) -> Mapping[str, int]:
    """Return how many people there are for each role."""
    return Counter(role for person in environment.people.values() for role in set(person.roles))


def _lint_invariants(environment: Environment) -> Iterator[Fault]:
    path: Path = ("invariants",)
    names = [invariant.invariant for invariant in environment.invariants]
    yield from repetitions(names, path, "invariant")
    for index, invariant in enumerate(environment.invariants):
        yield from _lint_invariant(invariant, environment, (*path, index))


def _lint_invariant(invariant: Invariant, environment: Environment, path: Path) -> Iterator[Fault]:
    yield from absent((*path, "service"), "service", invariant.service, environment.services)
    if invariant.at_most is None and invariant.at_least is None:
        yield Fault(
            path,
            f"`{invariant.invariant}` has no bound",
            "it would always hold",
            "add `at_most:` or `at_least:`",
        )
    for reference in references_in(invariant.probe.inputs, (*path, invariant.probe.kind)):
        yield from absent(reference.path, "value", reference.root, MEMBER_ROOTS)


def _lint_journeys(environment: Environment) -> Iterator[Fault]:
    members = [
        f"{service.name}/{host}"
        for service in environment.services.values()
        for host in service.members
    ]
    for name, journey in environment.journeys.items():
        document = f"journey {name}"
        for index, place in enumerate(journey.places):
            path = (document, "places", index)
            yield from absent((*path, "here"), "member", place.here, members)
            yield from absent((*path, "there"), "member", place.there, members)
        yield from _lint_journey_names(journey, environment, document)


def _lint_journey_names(
    journey: Journey, environment: Environment, document: str
) -> Iterator[Fault]:
    path: Path = (document, "actions")
    yield from repetitions([action.name for action in journey.actions], path, "action")
    for service in journey.databases:
        yield from absent((document,), "service", service, environment.services)
    for secret in journey.secrets:
        yield from absent((document,), "secret", secret, environment.secrets)


def lint_pair(
    playbook: Playbook,
    checklists: Mapping[ChecklistName, Checklist],
    environment: Environment,
) -> Iterator[Finding]:
    """Yield what *playbook* wants and *environment* does not have."""
    for name in playbook.verify.journeys:
        for fault in absent(
            ("verify", "journeys", name),
            f"journey in `{environment.environment}` called",
            name,
            environment.journeys,
        ):
            yield Finding("playbook", fault)
    for index, move in enumerate(playbook.steps):
        if isinstance(move, Step) and move.action.kind == FENCE:
            for fault in _lint_fence_use(move, ("steps", index), environment):
                yield Finding("playbook", fault)
    held = roles_of(environment)
    for checklist in checklists.values():
        for index, item in enumerate(checklist.items):
            for fault in _lint_signers(item, ("items", index), held, environment):
                yield Finding(f"checklist {checklist.checklist}", fault)


def _lint_fence_use(step: Step, path: Path, environment: Environment) -> Iterator[Fault]:
    """Yield a fault for fences that there are not, or that would never have their turn."""
    where, only = environment.environment, step.action.inputs.get("only", ())
    wanted = [str(name) for name in only] if isinstance(only, list | tuple) else []
    by_service = [service.fences for service in environment.services.values() if service.fences]
    if not by_service:
        yield Fault(
            (*path, FENCE),
            f"`{where}` has no fences",
            f"`{step.name}` could not keep anybody from taking writes",
            "add `fences:` to a service in environment.yaml",
        )
        return
    longest = max(_time_of(fences, wanted) for fences in by_service)
    if longest > step.time_limit:
        yield Fault(
            (*path, "time_limit"),
            f"`{step.name}` has less time than its fences in `{where}`",
            f"they may take {longest.total_seconds():g} s, one after the other",
            "write more, or shorten `within:` of the fences",
        )


def _time_of(fences: Sequence[Fence], wanted: Sequence[str]) -> timedelta:
    return sum((f.within for f in fences if not wanted or f.layer in wanted), timedelta(0))


def _lint_signers(
    item: ChecklistItem, path: Path, held: Mapping[str, int], environment: Environment
) -> Iterator[Fault]:
    """Yield a fault for each role of which there are too few people to sign or waive."""
    asked = [((*path, "role"), item.role, item.people, "sign")] if item.role else []
    if item.waive:
        asked += [((*path, "waive", "role"), item.waive.role, item.waive.people, "waive")]
    for where, role, people, verb in asked:
        if held.get(role, 0) < people:
            yield Fault(
                where,
                f"`{environment.environment}` has {held.get(role, 0)} people with "
                f"the role `{role}`",
                f"{people} must {verb}",
                "give somebody the role in people.yaml",
            )
