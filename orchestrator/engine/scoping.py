"""What references may name: parameters, and the environment's services and hosts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.domain.environment import Environment, HostName, Service, ServiceName
from orchestrator.domain.errors import RequestMalformed, RequestRefused
from orchestrator.domain.plan import Facts, Roles
from orchestrator.domain.playbook import Parameter, ParameterKind, Playbook
from orchestrator.domain.quantity import parse_duration, parse_size
from orchestrator.engine.binding import ITSELF, Scope

BEST_STANDBY = "best-standby"
_NO_ROLES = Roles(primary="", standbys=(), reasons={})


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
                bound[name] = _find_member(name, wanted or parameter.default, service, facts)
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


def _find_member(name: str, wanted: str, service: Service, facts: Facts) -> str:
    roles = facts.roles[service.name]
    seen = "; ".join(f"{member}: {reason}" for member, reason in roles.reasons.items())
    if not roles.primary:
        raise RequestRefused(f"{service.name} has not exactly one primary ({seen})")
    if wanted == BEST_STANDBY:
        if not roles.standbys:
            raise RequestRefused(f"no standby of {service.name} is fit to take over ({seen})")
        return f"{service.name}/{roles.standbys[0]}"
    if wanted not in service.members:
        raise RequestMalformed(
            f"parameter {name}: {wanted} is not a member of {service.name}; "
            f"its members are {', '.join(service.members)}"
        )
    if wanted == roles.primary:
        raise RequestRefused(f"parameter {name}: {wanted} is the primary already")
    return f"{service.name}/{wanted}"


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
    roles = facts.roles.get(service.name, _NO_ROLES)
    node: dict[str, object] = {
        **service.settings,
        ITSELF: service.name,
        "database": service.database,
        "members": [_member_node(service, host, environment) for host in service.members],
        "places": [_host_node(host, environment) for host in service.places],
        "accounts": {
            purpose: {ITSELF: account.user} for purpose, account in service.accounts.items()
        },
    }
    if roles.primary:
        node["primary"] = _member_node(service, roles.primary, environment)
        node["standbys"] = [_member_node(service, h, environment) for h in roles.standbys]
    if service.entry:
        entry = environment.services[ServiceName(service.entry)]
        node["entry"] = _service_node(entry, environment, facts)
    if len(service.members) == 1:
        node["only"] = _member_node(service, service.members[0], environment)
    return node


def _target_node(service: Service, host: str, environment: Environment, facts: Facts) -> Scope:
    """Return a member's node that also knows its bystanders: neither primary nor itself."""
    primary = facts.roles.get(service.name, _NO_ROLES).primary
    bystanders = [
        _member_node(service, other, environment)
        for other in service.members
        if other not in {host, primary}
    ]
    return {**_member_node(service, host, environment), "bystanders": bystanders}


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
