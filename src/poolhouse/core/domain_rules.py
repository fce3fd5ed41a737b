"""Domains of pools: what names they may have and how they are described (spec/api/02 §6, spec/http/01 §1.2–1.3)."""

import re
from datetime import UTC, datetime

from msgspec.structs import replace

from poolhouse.core.domain import Domain
from poolhouse.core.pool import Pool
from poolhouse.core.tiers import check_feature, tier_of
from poolhouse.core.validation import invalid_member
from poolhouse.model import (
    CreateUserPoolDomainRequest,
    CustomDomainConfigType,
    DomainDescriptionType,
    DomainStatusType,
    InvalidParameterException,
    RoutingType,
    SecurityPolicyType,
    UpdateUserPoolDomainRequest,
)

RESERVED_WORDS = ("aws", "amazon", "cognito")
CLASSIC, MANAGED_LOGIN = 1, 2
PRINTED_PATTERN = r"^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$"
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
NO_SUCH_DOMAIN = "No such domain or user pool exists."


def is_custom(request: CreateUserPoolDomainRequest) -> bool:
    """Tell a full host name from a prefix."""
    return request.custom_domain_config is not None or "." in request.domain


def new_domain(
    request: CreateUserPoolDomainRequest, pool: Pool, *, account_id: str, distribution: str, now: int
) -> Domain:
    """Return the domain that a request asks for. Raises InvalidParameterException and tier errors.

    ``distribution`` is the name that a custom domain's alias record would point to.
    """
    custom = is_custom(request)
    _check_name(request.domain, custom=custom)
    version = _version(request.managed_login_version, CLASSIC)
    _check_version(version, request.custom_domain_config, pool)
    _check_routing(request.routing, custom=custom)
    description = DomainDescriptionType(
        user_pool_id=pool.id,
        aws_account_id=account_id,
        domain=request.domain,
        s3_bucket=f"aws-cognito-prod-{pool.region}-assets",
        cloud_front_distribution=distribution,
        version=datetime.fromtimestamp(now // 1000, UTC).strftime("%Y%m%d%H%M%S"),
        status=DomainStatusType.ACTIVE,
        custom_domain_config=request.custom_domain_config,
        managed_login_version=version,
        routing=request.routing,
    )
    return Domain(name=request.domain, pool_id=pool.id, custom=custom, description=description)


def updated_domain(domain: Domain, request: UpdateUserPoolDomainRequest, pool: Pool, now: int) -> Domain:
    """Return the domain after an update; what the request leaves out stays.

    Raises InvalidParameterException and tier errors.
    """
    if request.custom_domain_config is not None and not domain.custom:
        raise InvalidParameterException("CustomDomainConfig cannot be set for a prefix domain.")
    _check_routing(request.routing, custom=domain.custom)
    current = domain.description
    config = request.custom_domain_config or current.custom_domain_config
    version = _version(request.managed_login_version, current.managed_login_version or CLASSIC)
    _check_version(version, config, pool)
    description = replace(
        current,
        custom_domain_config=config,
        managed_login_version=version,
        routing=request.routing or current.routing,
        version=datetime.fromtimestamp(now // 1000, UTC).strftime("%Y%m%d%H%M%S"),
    )
    return replace(domain, description=description)


def pool_with_domain(pool: Pool, domain: Domain) -> Pool:
    """Return the pool with the domain in its settings; raises InvalidParameterException where it has one."""
    taken = pool.settings.custom_domain if domain.custom else pool.settings.domain
    if taken is not None:
        raise InvalidParameterException("User pool already has a domain configured.")
    if domain.custom:
        return replace(pool, settings=replace(pool.settings, custom_domain=domain.name))
    return replace(pool, settings=replace(pool.settings, domain=domain.name))


def pool_without_domain(pool: Pool, domain: Domain) -> Pool:
    """Return the pool without the domain in its settings."""
    if domain.custom:
        return replace(pool, settings=replace(pool.settings, custom_domain=None))
    return replace(pool, settings=replace(pool.settings, domain=None))


def _check_name(name: str, *, custom: bool) -> None:
    if not custom:
        if not _LABEL.fullmatch(name):
            constraint = f"Member must satisfy regular expression pattern: {PRINTED_PATTERN}"
            raise invalid_member("domain", constraint, name)
        for word in RESERVED_WORDS:
            if word in name:
                raise InvalidParameterException(f"Domain cannot contain reserved word: {word}")
        return
    labels = name.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise InvalidParameterException(f"{name} is not a valid domain name.")
    if len(labels) < 3 and labels[-1] != "localhost":
        raise InvalidParameterException(
            "Custom domain is not a valid subdomain: Was not able to resolve a DNS A record"
            " for the parent domain or domain parent is a top-level domain."
        )


def _version(requested: int | None, default: int) -> int:
    if requested not in {None, CLASSIC, MANAGED_LOGIN}:
        raise InvalidParameterException("ManagedLoginVersion must be 1 or 2.")
    return requested or default


def _check_routing(routing: RoutingType | None, *, custom: bool) -> None:
    # API reference of CreateUserPoolDomain.
    if routing is not None and not custom:
        raise InvalidParameterException("Routing is supported for custom domains only.")


def _check_version(version: int, config: CustomDomainConfigType | None, pool: Pool) -> None:
    if version != MANAGED_LOGIN:
        return
    check_feature(tier_of(pool.settings), "Managed Login")
    if config is not None and config.security_policy is SecurityPolicyType.TLS_V1:
        raise InvalidParameterException("The security policy TLS_V1 cannot be used with managed login.")
