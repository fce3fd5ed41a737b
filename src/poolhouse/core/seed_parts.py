"""What the parts of a seed become: the same values as the Create operations make, by the same rules.

Functions here raise the errors of those operations, and msgspec's ValidationError for a member that is outside of
the constraints of such an operation.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.branding_rules import new_style
from poolhouse.core.classic_style import ClassicStyle, new_classic_style
from poolhouse.core.client import Client
from poolhouse.core.client_settings import Surroundings, new_client
from poolhouse.core.domain import Domain
from poolhouse.core.domain_rules import new_domain
from poolhouse.core.identity_providers import new_provider
from poolhouse.core.mfa_settings import pool_with_mfa
from poolhouse.core.pool import Pool
from poolhouse.core.pool_settings import new_pool, pool_with_attributes
from poolhouse.core.resource_servers import resource_server
from poolhouse.core.schema import CUSTOM_PREFIX, DEVELOPER_PREFIX, STANDARD_NAMES, is_custom
from poolhouse.core.seed import (
    SeedClient,
    SeedDomain,
    SeedPool,
    SeedStyle,
    SeedTerms,
)
from poolhouse.core.session_settings import client_with_limit, pool_with_tracking
from poolhouse.core.terms import new_terms
from poolhouse.model import (
    CreateIdentityProviderRequest,
    CreateManagedLoginBrandingRequest,
    CreateResourceServerRequest,
    CreateTermsRequest,
    CreateUserPoolClientRequest,
    CreateUserPoolDomainRequest,
    CreateUserPoolRequest,
    IdentityProviderType,
    InvalidParameterException,
    ManagedLoginBrandingType,
    ResourceServerType,
    SchemaAttributeType,
    SetUICustomizationRequest,
    SetUserPoolMfaConfigRequest,
    SetUserPoolSessionConfigurationRequest,
    TermsType,
)

T = TypeVar("T", bound=Struct)

# Cognito lists it in the schema of a pool with identity providers; it is nobody's to define.
_IDENTITIES = "identities"


def pool_of(seed: SeedPool, *, account_id: str, device_group_key: str, now: int) -> Pool:
    """Return the pool, without domains."""
    name = seed.pool_name or seed.name
    if name is None:
        raise InvalidParameterException("PoolName is missing.")
    if seed.schema is not None and seed.schema_attributes is not None:
        raise InvalidParameterException("Schema and SchemaAttributes cannot both be given.")
    described = [entry for entry in seed.schema_attributes or () if entry.name != _IDENTITIES]
    custom = [_bare(entry) for entry in described if is_custom(entry) or entry.name not in STANDARD_NAMES]
    request = request_of(
        CreateUserPoolRequest,
        seed,
        pool_name=name,
        schema=seed.schema or [entry for entry in described if entry.name in STANDARD_NAMES] or None,
        mfa_configuration=None if seed.mfa_config else seed.mfa_configuration,
        admin_create_user_config=_without_mirror(seed),
    )
    pool = new_pool(request, pool_id=seed.id, account_id=account_id, device_group_key=device_group_key, now=now)
    if custom:
        pool = pool_with_attributes(pool, custom, now)
    if seed.mfa_config is not None:
        mfa = request_of(SetUserPoolMfaConfigRequest, seed.mfa_config, user_pool_id=seed.id)
        pool = pool_with_mfa(pool, mfa, now)
    if seed.session_configuration is not None:
        tracking = request_of(SetUserPoolSessionConfigurationRequest, seed.session_configuration, user_pool_id=seed.id)
        pool = pool_with_tracking(pool, tracking)
    return replace(pool, settings=_dated(pool.settings, seed))


def server_of(pool: Pool, seed: ResourceServerType) -> ResourceServerType:
    """Return a resource server."""
    return resource_server(request_of(CreateResourceServerRequest, seed, **owner_of(pool, seed.user_pool_id)))


def provider_of(pool: Pool, seed: IdentityProviderType, now: int) -> IdentityProviderType:
    """Return an identity provider with its secrets."""
    request = request_of(CreateIdentityProviderRequest, seed, **owner_of(pool, seed.user_pool_id))
    return _dated(new_provider(request, pool, now), seed)


def client_of(seed: SeedClient, around: Surroundings, now: int) -> Client:
    """Return an app client, without the secrets that ``secrets_of`` gives."""
    values = secrets_of(seed)
    owner = owner_of(around.pool, seed.user_pool_id)
    request = request_of(CreateUserPoolClientRequest, seed, **owner, client_secret=values[0] if values else None)
    client = new_client(request, around, client_id=seed.client_id, now=now)
    if seed.sso_session is not None:
        client = client_with_limit(client, around.pool, seed.sso_session)
    return replace(client, settings=replace(_dated(client.settings, seed), client_type=seed.client_type))


def secrets_of(seed: SeedClient) -> list[str]:
    """Return the secrets of a client that the file names, oldest first."""
    values = [each.client_secret_value for each in seed.client_secrets]
    if None in values:
        raise InvalidParameterException("Each of ClientSecrets must have a ClientSecretValue.")
    if seed.client_secret is not None and seed.client_secret not in values:
        if values:
            raise InvalidParameterException("ClientSecret is none of ClientSecrets.")
        values = [seed.client_secret]
    return [value for value in values if value is not None]


def branding_of(
    pool: Pool, client_id: str, seed: ManagedLoginBrandingType, *, fresh_id: str, now: int
) -> ManagedLoginBrandingType:
    """Return the branding style of a client; ``fresh_id`` is for one that has no id."""
    owner = owner_of(pool, seed.user_pool_id)
    request = request_of(CreateManagedLoginBrandingRequest, seed, **owner, client_id=client_id)
    return _dated(new_style(request, style_id=seed.managed_login_branding_id or fresh_id, now=now), seed)


def terms_of(pool: Pool, client_id: str, seed: SeedTerms, *, fresh_id: str, now: int) -> TermsType:
    """Return a terms document of a client; ``fresh_id`` is for one that has no id."""
    if seed.client_id not in {None, client_id}:
        raise InvalidParameterException(f"ClientId is not that of the app client it is in, {client_id}.")
    request = request_of(CreateTermsRequest, seed, **owner_of(pool, seed.user_pool_id), client_id=client_id)
    return _dated(new_terms(request, terms_id=seed.terms_id or fresh_id, now=now), seed)


def style_of(pool: Pool, client_id: str | None, seed: SeedStyle, now: int) -> ClassicStyle:
    """Return the style of a client's classic pages, or of all other clients'."""
    if pool.settings.domain is None and pool.settings.custom_domain is None:
        raise InvalidParameterException("There has to be an existing domain associated with this user pool")
    request = request_of(SetUICustomizationRequest, seed, user_pool_id=pool.id, client_id=client_id)
    style = new_classic_style(request, now)
    if style is None:
        raise InvalidParameterException("A style must have CSS or an ImageFile.")
    return style


def domain_of(pool: Pool, seed: SeedDomain, *, account_id: str, distribution: str, now: int) -> Domain:
    """Return a domain of a pool."""
    request = request_of(CreateUserPoolDomainRequest, seed, **owner_of(pool, seed.user_pool_id))
    return new_domain(request, pool, account_id=account_id, distribution=distribution, now=now)


def _bare(entry: SchemaAttributeType) -> SchemaAttributeType:
    """Return a custom attribute of a described schema as a request names it."""
    return replace(entry, name=(entry.name or "").removeprefix(DEVELOPER_PREFIX).removeprefix(CUSTOM_PREFIX))


def _without_mirror(seed: SeedPool) -> Any:
    """Return AdminCreateUserConfig without the number of days that Describe repeats from the password policy."""
    config, policy = seed.admin_create_user_config, seed.policies and seed.policies.password_policy
    if config and policy and config.unused_account_validity_days == policy.temporary_password_validity_days:
        return replace(config, unused_account_validity_days=None)
    return config


def owner_of(pool: Pool, named: str | None) -> dict[str, str]:
    """Return the member of a request that names its pool, which a part may name only as it is."""
    if named not in {None, pool.id}:
        raise InvalidParameterException(f"UserPoolId is not that of the user pool it is in, {pool.id}.")
    return {"user_pool_id": pool.id}


def request_of(kind: type[T], given: Struct, **others: Any) -> T:
    """Return a request with the members that it shares with a part of the seed, checked as one from outside."""
    shared = set(kind.__struct_fields__) & set(given.__struct_fields__)
    request = kind(**({name: getattr(given, name) for name in shared} | others))
    return msgspec.convert(msgspec.to_builtins(request), kind)


def _dated(made: T, seed: Any) -> T:
    """Return something with the dates that the seed has for it."""
    created, modified = seed.creation_date, seed.last_modified_date
    dates: dict[str, Any] = {} if created is None else {"creation_date": created}
    return replace(made, **(dates if modified is None else {**dates, "last_modified_date": modified}))


def milliseconds(seconds: float | None, now: int) -> int:
    """Return a date of the API in milliseconds, ``now`` where there is none."""
    return now if seconds is None else round(seconds * 1000)
