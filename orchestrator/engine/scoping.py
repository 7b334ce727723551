"""What references may name: parameters, and the environment's services and hosts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from orchestrator.domain.environment import Environment, HostName, Service, ServiceName
from orchestrator.domain.errors import RequestMalformed
from orchestrator.domain.plan import Facts, Roles
from orchestrator.domain.playbook import Parameter, ParameterKind, Playbook
from orchestrator.domain.quantity import parse_duration, parse_size
from orchestrator.engine.binding import ITSELF, Scope, Unseen
from orchestrator.engine.choosing import find_member, without_last_primary, without_primary


def bind_parameters(
    playbook: Playbook, environment: Environment, given: Mapping[str, str], facts: Facts
) -> Mapping[str, str]:
    """Return the value of each parameter, in the author's order.

    A service is bound to its name, a member to ``service/host``.

    Raises:
        RequestMalformed: If a given name or value does not fit.
        RequestRefused: If a default finds nothing.
    """
    require_known(playbook, given)
    bound: dict[str, str] = {}
    for name, parameter in playbook.parameters.items():
        wanted = given.get(name, "")
        match parameter.kind:
            case ParameterKind.SERVICE:
                bound[name] = find_service(name, parameter, wanted, environment).name
            case ParameterKind.MEMBER:
                service = environment.services[ServiceName(bound[parameter.member_of])]
                bound[name] = find_member(name, parameter, wanted, service, facts)
            case kind:
                bound[name] = _find_text(name, kind, wanted or parameter.default)
    return bound


def require_known(playbook: Playbook, given: Mapping[str, str]) -> None:
    """Check that *given* names only parameters of *playbook*.

    Raises:
        RequestMalformed: With those that there are.
    """
    unknown = sorted(given.keys() - playbook.parameters.keys())
    if unknown:
        raise RequestMalformed(
            f"{playbook.playbook} has no parameter {', '.join(unknown)}; "
            f"it has {', '.join(playbook.parameters)}"
        )


def services_of(
    playbook: Playbook, environment: Environment, given: Mapping[str, str]
) -> tuple[Service, ...]:
    """Return the services that the parameters name: those whose facts a plan needs.

    Raises:
        RequestMalformed: If a name does not fit.
    """
    require_known(playbook, given)
    return tuple(
        find_service(name, parameter, given.get(name, ""), environment)
        for name, parameter in playbook.parameters.items()
        if parameter.kind is ParameterKind.SERVICE
    )


def find_service(
    name: str, parameter: Parameter, wanted: str, environment: Environment
) -> Service:
    """Return the service that *wanted* names, or the only one of the parameter's engine.

    Raises:
        RequestMalformed: If there is not exactly one.
    """
    fitting = [s for s in environment.services.values() if s.engine == parameter.engine]
    chosen = [s for s in fitting if s.name == wanted] if wanted else fitting
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(s.name for s in fitting) or "none"
    complaint = f"{wanted} is not a service" if wanted else f"there are {len(fitting)} services"
    raise RequestMalformed(
        f"parameter {name}: {complaint} of engine {parameter.engine} in "
        f"{environment.environment} (there is {names}); give --set {name}=SERVICE"
    )


def scope_of(
    playbook: Playbook, environment: Environment, parameters: Mapping[str, str], facts: Facts
) -> Scope:
    """Return everything that a reference may name, as nested nodes."""
    services = {
        name: _service_node(service, environment, facts)
        for name, service in environment.services.items()
    }
    scope: dict[str, object] = {
        "services": services,
        "hosts": {name: _host_node(name, environment) for name in environment.hosts},
    }
    for name, value in parameters.items():
        match playbook.parameters[name].kind:
            case ParameterKind.SERVICE:
                scope[name] = services[ServiceName(value)]
            case ParameterKind.MEMBER:
                service, host = value.split("/", 1)
                bound = environment.services[ServiceName(service)]
                scope[name] = _target_node(bound, host, environment, facts)
            case kind:
                scope[name] = _bound_value(kind, value)
    return scope


def member_scope(scope: Scope, service: Service, host: str, environment: Environment) -> Scope:
    """Return *scope* with ``${member}`` standing for one member of *service*."""
    return {**scope, "member": _member_node(service, host, environment)}


def _find_text(name: str, kind: ParameterKind, value: str) -> str:
    if not value:
        raise RequestMalformed(f"parameter {name} has no default; give --set {name}=VALUE")
    try:
        _bound_value(kind, value)
    except ValueError as error:
        raise RequestMalformed(f"parameter {name}: {value} is not a {kind}: {error}") from error
    return value


def _bound_value(kind: ParameterKind, value: str) -> str | float:
    """Return what inputs get to see: a duration in seconds, a number as a number."""
    match kind:
        case ParameterKind.DURATION:
            return parse_duration(value).total_seconds()
        case ParameterKind.NUMBER:
            return parse_size(value) if not value.replace(".", "", 1).isdigit() else float(value)
        case _:
            return value


def _service_node(service: Service, environment: Environment, facts: Facts) -> Scope:
    node: dict[str, object] = {
        **service.settings,
        ITSELF: service.name,
        "database": service.database,
        "members": _member_nodes(service, service.members, environment),
        "places": [_host_node(host, environment) for host in service.places],
        "accounts": {
            purpose: {ITSELF: account.user} for purpose, account in service.accounts.items()
        },
    }
    if service.name in facts.roles:
        node |= _role_nodes(service, facts.roles[service.name], environment)
    if service.entry:
        entry = environment.services[ServiceName(service.entry)]
        node["entry"] = _service_node(entry, environment, facts)
    if len(service.members) == 1:
        node["only"] = _member_node(service, service.members[0], environment)
    return node


def _role_nodes(service: Service, roles: Roles, environment: Environment) -> Scope:
    """Return the members by what they are, or why nobody can tell."""
    primary: object = Unseen(without_primary(service, roles))
    standbys = primary
    last_primary: object = Unseen(without_last_primary(service, roles))
    survivors = last_primary
    if roles.primary:
        primary = _member_node(service, roles.primary, environment)
        standbys = _member_nodes(service, roles.standbys, environment)
    if roles.last_primary:
        last_primary = _member_node(service, roles.last_primary, environment)
        survivors = _others(service, {roles.last_primary}, environment)
    return {
        "primary": primary,
        "standbys": standbys,
        "last_primary": last_primary,
        "survivors": survivors,
    }


def _target_node(service: Service, host: str, environment: Environment, facts: Facts) -> Scope:
    """Return a member's node that also knows its bystanders: neither last primary nor itself."""
    roles = facts.roles.get(service.name)
    bystanders: object
    if roles is not None and not roles.last_primary:
        bystanders = Unseen(without_last_primary(service, roles))
    else:
        bystanders = _others(service, {host, roles.last_primary if roles else ""}, environment)
    return {**_member_node(service, host, environment), "bystanders": bystanders}


def _others(service: Service, left_out: Set[str], environment: Environment) -> list[Scope]:
    hosts = [host for host in service.members if host not in left_out]
    return _member_nodes(service, hosts, environment)


def _member_nodes(service: Service, hosts: Iterable[str], environment: Environment) -> list[Scope]:
    return [_member_node(service, host, environment) for host in hosts]


def _member_node(service: Service, host: str, environment: Environment) -> Scope:
    node = _host_node(HostName(host), environment)
    port = service.port if isinstance(service.port, int) else node.get(service.port, "")
    return {**node, ITSELF: f"{service.name}/{host}", "service": service.name, "port": port}


def _host_node(name: HostName, environment: Environment) -> Mapping[str, object]:
    host = environment.hosts[name]
    return {
        **host.variables,
        ITSELF: name,
        "host": name,
        "site": host.site,
        "address": host.address,
        "reached_at": host.reached_at,
    }
