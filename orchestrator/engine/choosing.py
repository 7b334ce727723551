"""Which member a parameter stands for, and why none does. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from orchestrator.domain.environment import Environment, Service, ServiceName
from orchestrator.domain.errors import RequestMalformed, RequestRefused
from orchestrator.domain.plan import Facts, Roles
from orchestrator.domain.playbook import Parameter, ParameterKind, Playbook


class Choice(StrEnum):
    """What a parameter of kind member may leave to the facts, as its default."""

    PRIMARY = "primary"
    BEST_STANDBY = "best-standby"
    BEST_CANDIDATE = "best-candidate"
    LAST_PRIMARY = "last-primary"
    STRAYED_MEMBER = "strayed-member"


def find_member(
    name: str, parameter: Parameter, given: str, service: Service, facts: Facts
) -> str:
    """Return as ``service/host`` the member that *given* names, or that the facts prefer.

    Raises:
        RequestMalformed: If there is no such member.
        RequestRefused: If the facts know of none.
    """
    roles = facts.roles[service.name]
    wanted = given or parameter.default
    match wanted:
        case Choice.PRIMARY:
            host = _primary(service, roles)
        case Choice.BEST_STANDBY:
            host = _best_standby(service, roles)
        case Choice.BEST_CANDIDATE:
            host = _best_candidate(service, roles)
        case Choice.LAST_PRIMARY:
            host = _last_primary(service, roles)
        case Choice.STRAYED_MEMBER:
            host = _strayed_member(name, service, roles)
        case _:
            host = _named_member(name, wanted, service)
    return f"{service.name}/{host}"


def refuse_other_roles(
    playbook: Playbook, environment: Environment, bound: Mapping[str, str], facts: Facts
) -> None:
    """Check that no member that an engineer chose is what its parameter must not be.

    Not for a child: which member its parent means is the author's matter, and the gates judge.

    Raises:
        RequestRefused: If one is the primary, or nobody can tell.
    """
    for name, parameter in playbook.parameters.items():
        if parameter.kind is ParameterKind.MEMBER:
            service = environment.services[ServiceName(bound[parameter.member_of])]
            host = bound[name].removeprefix(f"{service.name}/")
            _refuse_other_role(name, parameter, host, service, facts.roles[service.name])


def without_primary(service: Service, roles: Roles) -> str:
    """Return why *service* has no primary, with what was seen of each member."""
    return f"{service.name} has not exactly one primary ({_seen(roles)})"


def without_last_primary(service: Service, roles: Roles) -> str:
    """Return why nobody can tell who the primary of *service* was."""
    return f"it is not clear which member of {service.name} was the last primary ({_seen(roles)})"


def _named_member(name: str, wanted: str, service: Service) -> str:
    """Return the host that *wanted* names, as ``host`` or ``service/host``."""
    host = wanted.removeprefix(f"{service.name}/")
    if host not in service.members:
        raise RequestMalformed(
            f"parameter {name}: {wanted} is not a member of {service.name}; "
            f"its members are {', '.join(service.members)}"
        )
    return host


def _best_standby(service: Service, roles: Roles) -> str:
    _primary(service, roles)
    if not roles.standbys:
        raise RequestRefused(f"no standby of {service.name} is fit to take over ({_seen(roles)})")
    return roles.standbys[0]


def _best_candidate(service: Service, roles: Roles) -> str:
    _last_primary(service, roles)
    if not roles.candidates:
        raise RequestRefused(f"no standby of {service.name} can be promoted ({_seen(roles)})")
    return roles.candidates[0]


def _strayed_member(name: str, service: Service, roles: Roles) -> str:
    primary = _primary(service, roles)
    match roles.strayed:
        case (stray,):
            return stray
        case ():
            raise RequestRefused(f"every member of {service.name} streams from {primary} already")
        case several:
            raise RequestRefused(
                f"{', '.join(several)} of {service.name} do not stream from {primary}; "
                f"give --set {name}=MEMBER"
            )


def _primary(service: Service, roles: Roles) -> str:
    if not roles.primary:
        raise RequestRefused(without_primary(service, roles))
    return roles.primary


def _last_primary(service: Service, roles: Roles) -> str:
    if not roles.last_primary:
        raise RequestRefused(without_last_primary(service, roles))
    return roles.last_primary


def _refuse_other_role(
    name: str, parameter: Parameter, host: str, service: Service, roles: Roles
) -> None:
    """Refuse a member that is what this parameter must not be."""
    match parameter.default:
        case Choice.LAST_PRIMARY:
            return
        case Choice.PRIMARY:
            primary = _primary(service, roles)
            is_wrong, role = host != primary, f"not the primary, {primary} is"
        case Choice.BEST_CANDIDATE:
            is_wrong, role = host == _last_primary(service, roles), "the last primary itself"
        case _:
            is_wrong, role = host == _primary(service, roles), "the primary already"
    if is_wrong:
        raise RequestRefused(f"parameter {name}: {host} is {role}")


def _seen(roles: Roles) -> str:
    return "; ".join(f"{member}: {reason}" for member, reason in roles.reasons.items())
