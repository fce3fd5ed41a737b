"""App clients as CreateUserPoolClient and UpdateUserPoolClient leave them (spec/api/02 §5)."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.client import UNIT_SECONDS, Client
from poolhouse.core.client_checks import check_attributes, check_flows, check_oauth, check_urls
from poolhouse.core.pool import Pool
from poolhouse.core.tiers import tier_of
from poolhouse.model import (
    CreateUserPoolClientRequest,
    InvalidParameterException,
    ResourceServerType,
    TimeUnitsType,
    TokenValidityUnitsType,
    UpdateUserPoolClientRequest,
    UserPoolClientType,
)

ClientRequest = CreateUserPoolClientRequest | UpdateUserPoolClientRequest

MAX_CLIENTS = 1_000
REFRESH_DAYS = 30
AUTH_SESSION_MINUTES = 3
SHORT_TOKENS = (300, 86_400)
REFRESH_TOKENS = (3_600, 315_360_000)


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a client's settings refer to: its pool, the pool's resource servers and identity providers."""

    pool: Pool
    resource_servers: tuple[ResourceServerType, ...]
    providers: frozenset[str] = frozenset()


def new_client(request: CreateUserPoolClientRequest, around: Surroundings, *, client_id: str, now: int) -> Client:
    """Return the client that a request asks for, without its secrets.

    Raises InvalidParameterException, InvalidOAuthFlowException, ScopeDoesNotExistException and tier errors.
    """
    if request.generate_secret and request.client_secret is not None:
        raise InvalidParameterException("ClientSecret cannot be specified when GenerateSecret is true.")
    settings = replace(
        _settings(request),
        client_id=client_id,
        client_name=request.client_name,
        user_pool_id=around.pool.id,
        creation_date=now / 1000,
        last_modified_date=now / 1000,
    )
    confidential = bool(request.generate_secret) or request.client_secret is not None
    _check(settings, around, confidential=confidential)
    return Client(id=client_id, pool_id=around.pool.id, settings=settings)


def updated_client(client: Client, request: UpdateUserPoolClientRequest, around: Surroundings, now: int) -> Client:
    """Return the client after an update, which replaces all but its id, secrets, name and creation date.

    Raises what ``new_client`` raises.
    """
    settings = replace(
        _settings(request),
        client_id=client.id,
        client_name=request.client_name or client.settings.client_name,
        client_type=client.settings.client_type,
        user_pool_id=client.pool_id,
        creation_date=client.settings.creation_date,
        last_modified_date=now / 1000,
    )
    _check(settings, around, confidential=bool(client.secrets))
    return replace(client, settings=settings)


def _settings(request: ClientRequest) -> UserPoolClientType:
    """Return the members that a request sets, with the API's defaults. Empty lists count as left out."""
    return UserPoolClientType(
        access_token_validity=request.access_token_validity,
        allowed_oauth_flows=request.allowed_oauth_flows or None,
        allowed_oauth_flows_user_pool_client=bool(request.allowed_oauth_flows_user_pool_client),
        allowed_oauth_scopes=request.allowed_oauth_scopes or None,
        analytics_configuration=request.analytics_configuration,
        auth_session_validity=request.auth_session_validity or AUTH_SESSION_MINUTES,
        callback_urls=request.callback_urls or None,
        default_redirect_uri=request.default_redirect_uri,
        enable_propagate_additional_user_context_data=bool(request.enable_propagate_additional_user_context_data),
        enable_token_revocation=request.enable_token_revocation is not False,
        explicit_auth_flows=request.explicit_auth_flows or None,
        id_token_validity=request.id_token_validity,
        logout_urls=request.logout_urls or None,
        prevent_user_existence_errors=request.prevent_user_existence_errors,
        read_attributes=request.read_attributes or None,
        refresh_token_rotation=request.refresh_token_rotation,
        refresh_token_validity=request.refresh_token_validity or REFRESH_DAYS,
        supported_identity_providers=request.supported_identity_providers or None,
        token_validity_units=_units(request),
        write_attributes=request.write_attributes or None,
    )


def _units(request: ClientRequest) -> TokenValidityUnitsType:
    """Return the units of the validities. A refresh validity of 0 means the default of 30 days, whatever the unit."""
    units = request.token_validity_units or TokenValidityUnitsType()
    if request.refresh_token_validity == 0 and units.refresh_token is not None:
        return replace(units, refresh_token=TimeUnitsType.days)
    return units


def _check(settings: UserPoolClientType, around: Surroundings, *, confidential: bool) -> None:
    _check_validities(settings)
    check_flows(settings, tier_of(around.pool.settings), confidential=confidential)
    if settings.enable_propagate_additional_user_context_data and not confidential:
        raise InvalidParameterException(
            "EnablePropagateAdditionalUserContextData can only be activated in a client with a client secret."
        )
    _check_providers(settings.supported_identity_providers or (), around)
    check_urls(settings)
    check_oauth(settings, around.pool, around.resource_servers, confidential=confidential)
    check_attributes(settings, around.pool.settings.schema_attributes or [])


def _check_validities(settings: UserPoolClientType) -> None:
    units = settings.token_validity_units or TokenValidityUnitsType()
    access = _seconds(settings.access_token_validity or 1, units.access_token or TimeUnitsType.hours)
    identity = _seconds(settings.id_token_validity or 1, units.id_token or TimeUnitsType.hours)
    refresh = _seconds(settings.refresh_token_validity or REFRESH_DAYS, units.refresh_token or TimeUnitsType.days)
    short = all(SHORT_TOKENS[0] <= seconds <= SHORT_TOKENS[1] for seconds in (access, identity))
    long = REFRESH_TOKENS[0] <= refresh <= REFRESH_TOKENS[1] and refresh >= max(access, identity)
    if not (short and long):
        raise InvalidParameterException("Invalid range for token validity.")


def _seconds(value: int, unit: TimeUnitsType) -> int:
    return value * UNIT_SECONDS[unit]


def _check_providers(named: Iterable[str], around: Surroundings) -> None:
    for name in named:
        if name != "COGNITO" and name not in around.providers:
            raise InvalidParameterException(f"The provider {name} does not exist for User Pool {around.pool.id}.")
