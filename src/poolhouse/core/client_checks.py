"""What the settings of an app client must satisfy (spec/api/02 §5.2, spec/http/05 §5.1–5.2)."""

from collections.abc import Iterable, Sequence

from poolhouse.core.client import LEGACY_FLOWS, PROFILE, attributes_of
from poolhouse.core.pool import Pool
from poolhouse.core.tiers import check_feature
from poolhouse.core.urls import check_url
from poolhouse.model import ExplicitAuthFlowsType as Flow
from poolhouse.model import (
    FeatureType,
    InvalidOAuthFlowException,
    InvalidParameterException,
    OAuthFlowType,
    ResourceServerType,
    SchemaAttributeType,
    ScopeDoesNotExistException,
    StatusType,
    UserPoolClientType,
    UserPoolTierType,
)

STANDARD_SCOPES = frozenset({"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"})
# The scope of registering clients, of a resource server that the service itself keeps (spec/api/10 §10).
REGISTRATION_SCOPE = "aws.cognito/dcr/register"
TOKEN_EXCHANGE = frozenset({Flow.ALLOW_TOKEN_EXCHANGE_DELEGATION, Flow.ALLOW_TOKEN_EXCHANGE_IMPERSONATION})
NEVER_WRITABLE = frozenset({"sub", "email_verified", "phone_number_verified", "identities"})


def check_flows(settings: UserPoolClientType, tier: UserPoolTierType, *, confidential: bool) -> None:
    """Check ExplicitAuthFlows; raises InvalidParameterException or FeatureUnavailableInTierException."""
    flows = frozenset(settings.explicit_auth_flows or ())
    legacy = flows & LEGACY_FLOWS.keys()
    if legacy and flows - legacy:
        raise InvalidParameterException("Cannot use legacy and new ALLOW_ ExplicitAuthFlows together")
    if Flow.ALLOW_CLIENT_TOKEN_AUTH in flows:
        _check_client_token_flow(flows, confidential=confidential)
    rotation = settings.refresh_token_rotation
    rotating = rotation is not None and rotation.feature is FeatureType.ENABLED
    if rotating and Flow.ALLOW_REFRESH_TOKEN_AUTH in flows:
        raise InvalidParameterException("ALLOW_REFRESH_TOKEN_AUTH cannot be used with refresh token rotation.")
    sign_in = flows - legacy - TOKEN_EXCHANGE - {Flow.ALLOW_CLIENT_TOKEN_AUTH}
    if sign_in and not rotating and Flow.ALLOW_REFRESH_TOKEN_AUTH not in flows:
        raise InvalidParameterException("ExplicitAuthFlows must include ALLOW_REFRESH_TOKEN_AUTH.")
    if Flow.ALLOW_USER_AUTH in flows:
        check_feature(tier, "Choice-Based Sign-In")


def _check_client_token_flow(flows: frozenset[Flow], *, confidential: bool) -> None:
    if len(flows) > 1:
        raise InvalidParameterException("ALLOW_CLIENT_TOKEN_AUTH must be the only ExplicitAuthFlows value.")
    if not confidential:
        raise InvalidParameterException("ALLOW_CLIENT_TOKEN_AUTH requires a client with a client secret.")


def check_urls(settings: UserPoolClientType) -> None:
    """Check callback and sign-out URLs; raises InvalidParameterException."""
    for url in [*(settings.callback_urls or ()), *(settings.logout_urls or ())]:
        check_url(url)
    default = settings.default_redirect_uri
    if default is not None and default not in (settings.callback_urls or ()):
        raise InvalidParameterException("DefaultRedirectURI must be in the list of CallbackURLs")


def check_oauth(
    settings: UserPoolClientType, pool: Pool, servers: Iterable[ResourceServerType], *, confidential: bool
) -> None:
    """Check OAuth flows and scopes; raises InvalidOAuthFlowException or ScopeDoesNotExistException."""
    flows, scopes = settings.allowed_oauth_flows or [], settings.allowed_oauth_scopes or []
    if settings.allowed_oauth_flows_user_pool_client and not (flows and scopes):
        raise InvalidOAuthFlowException(
            "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows."
        )
    if OAuthFlowType.client_credentials in flows:
        if set(flows) != {OAuthFlowType.client_credentials}:
            raise InvalidOAuthFlowException(
                "client_credentials flow can not be selected along with code flow or implicit flow."
            )
        if not confidential:
            raise InvalidOAuthFlowException(
                "client_credentials flow can not be selected if client does not have a client secret."
            )
    known = set(STANDARD_SCOPES)
    known |= {f"{server.identifier}/{scope.scope_name}" for server in servers for scope in server.scopes or ()}
    registration = pool.settings.dcr_configuration
    if registration is not None and registration.enable_status is StatusType.Enabled:
        known.add(REGISTRATION_SCOPE)
    for scope in scopes:
        if scope not in known:
            raise ScopeDoesNotExistException(f"Scope {scope} does not exist")


def check_attributes(settings: UserPoolClientType, schema: Sequence[SchemaAttributeType]) -> None:
    """Check ReadAttributes and WriteAttributes against the pool's schema; raises InvalidParameterException.

    Writable are the mutable attributes and the required ones, of which none may be left out.
    """
    attributes = {attribute.name or "": attribute for attribute in schema if not attribute.developer_only_attribute}
    if not set(settings.read_attributes or ()) - {PROFILE} <= attributes.keys():
        raise InvalidParameterException("Invalid read attributes specified while creating a client")
    if settings.write_attributes is None:
        return
    writable = {name for name, it in attributes.items() if it.mutable or it.required} - NEVER_WRITABLE
    required = {name for name, it in attributes.items() if it.required} & writable
    named = set(settings.write_attributes)
    if not required <= attributes_of(named) or not named - {PROFILE} <= writable:
        raise InvalidParameterException("Invalid write attributes specified while creating a client")
