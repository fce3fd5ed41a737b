"""The console's "Create user pool": from a few choices to the API requests behind them (spec/http/08 §8.2–8.3)."""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.domain_rules import MANAGED_LOGIN, RESERVED_WORDS
from poolhouse.model import (
    AdminCreateUserConfigType,
    AliasAttributeType,
    CreateManagedLoginBrandingRequest,
    CreateResourceServerRequest,
    CreateUserPoolClientRequest,
    CreateUserPoolClientResponse,
    CreateUserPoolDomainRequest,
    CreateUserPoolRequest,
    CreateUserPoolResponse,
    DeletionProtectionType,
    ExplicitAuthFlowsType,
    InvalidParameterException,
    OAuthFlowType,
    PreventUserExistenceErrorTypes,
    ResourceServerScopeType,
    SchemaAttributeType,
    TimeUnitsType,
    TokenValidityUnitsType,
    UserAttributeUpdateSettingsType,
    UsernameAttributeType,
    UsernameConfigurationType,
    UserPoolTierType,
    VerifiedAttributeType,
)

CONTACTS = ("email", "phone_number")
USER_SCOPES = ["email", "openid", "phone"]


class ApplicationType(StrEnum):
    """The tiles of "Define your application"."""

    TRADITIONAL_WEB = "Traditional web application"
    SINGLE_PAGE = "Single-page application (SPA)"
    MOBILE = "Mobile app"
    MACHINE_TO_MACHINE = "Machine-to-machine application"


CONFIDENTIAL = frozenset({ApplicationType.TRADITIONAL_WEB, ApplicationType.MACHINE_TO_MACHINE})


class Choices(Struct, frozen=True, kw_only=True):
    """What the operator chose. ``identifiers`` are among ``email``, ``phone_number`` and ``username``.

    ``suffix`` is six random characters for the suggested names. ``landing_url`` is the callback
    of an application that has no ``return_url`` yet.
    """

    application_type: ApplicationType
    identifiers: frozenset[str] = frozenset({"email"})
    required_attributes: frozenset[str] = frozenset({"email"})
    self_registration: bool = True
    application_name: str | None = None
    return_url: str | None = None
    landing_url: str
    suffix: str

    @property
    def has_users(self) -> bool:
        """Whether people sign in to the application."""
        return self.application_type is not ApplicationType.MACHINE_TO_MACHINE


class Made(Struct, frozen=True):
    """What the steps so far have made."""

    pool_id: str = ""
    client_id: str = ""

    def after(self, response: object) -> "Made":
        """Return this with the id that a response brings."""
        if isinstance(response, CreateUserPoolResponse) and response.user_pool:
            return replace(self, pool_id=response.user_pool.id or "")
        if isinstance(response, CreateUserPoolClientResponse) and response.user_pool_client:
            return replace(self, client_id=response.user_pool_client.client_id or "")
        return self


class Step(Struct, frozen=True):
    """One API call: its operation, and its request once the earlier ones are answered."""

    operation: str
    request: Callable[[Made], Struct]


def quick_pool(choices: Choices) -> list[Step]:
    """Return the calls that make the pool, in order. Raises InvalidParameterException for choices that do not fit."""
    pool = pool_request(choices)
    return [
        Step("CreateUserPool", lambda _: pool),
        Step("CreateUserPoolDomain", lambda made: domain_request(made.pool_id)),
        *quick_client(choices),
    ]


def quick_client(choices: Choices) -> list[Step]:
    """Return the calls that make an app client of the pool that is there already, in order."""
    client = Step("CreateUserPoolClient", lambda made: client_request(choices, made.pool_id))
    if choices.has_users:
        return [client, Step("CreateManagedLoginBranding", branding_request)]
    return [Step("CreateResourceServer", lambda made: resource_server_request(choices, made.pool_id)), client]


def pool_request(choices: Choices) -> CreateUserPoolRequest:
    """Return the request for the pool; raises InvalidParameterException."""
    usernames, aliases = _sign_in_names(choices)
    required = _required(choices)
    # What people sign in with is verified before what they are only asked for.
    contacts = sorted((name for name in CONTACTS if name in required), key=lambda name: name not in choices.identifiers)
    if choices.has_users and not contacts:
        raise InvalidParameterException("Users who sign in with a user name need an email or phone_number attribute.")
    verified = [VerifiedAttributeType(name) for name in contacts[:1]]
    return CreateUserPoolRequest(
        pool_name=f"User pool - {choices.suffix}",
        user_pool_tier=UserPoolTierType.ESSENTIALS,
        username_attributes=usernames,
        alias_attributes=aliases,
        username_configuration=UsernameConfigurationType(case_sensitive=False),
        schema=[SchemaAttributeType(name=name, required=True) for name in sorted(required)] or None,
        auto_verified_attributes=verified or None,
        user_attribute_update_settings=UserAttributeUpdateSettingsType(
            attributes_require_verification_before_update=verified
        ),
        admin_create_user_config=AdminCreateUserConfigType(allow_admin_create_user_only=not choices.self_registration),
        deletion_protection=DeletionProtectionType.ACTIVE,
    )


def _sign_in_names(choices: Choices) -> tuple[list[UsernameAttributeType] | None, list[AliasAttributeType] | None]:
    """Return UsernameAttributes and AliasAttributes (spec/http/08 §8.2.2). The choice is permanent."""
    if not choices.has_users:
        return None, None
    if not choices.identifiers or not choices.identifiers <= {*CONTACTS, "username"}:
        raise InvalidParameterException("Choose at least one of email, phone_number and username to sign in with.")
    contacts = [name for name in CONTACTS if name in choices.identifiers]
    if "username" in choices.identifiers:
        return None, [AliasAttributeType(name) for name in contacts] or None
    return [UsernameAttributeType(name) for name in contacts], None


def _required(choices: Choices) -> frozenset[str]:
    """Return the required attributes: those chosen, and those that users sign in with."""
    if not choices.has_users:
        return frozenset()
    return choices.required_attributes | (choices.identifiers & set(CONTACTS))


def domain_prefix(pool_id: str) -> str:
    """Return the prefix of a pool's automatic domain: its id in lower case, without the underscore."""
    prefix = pool_id.lower().replace("_", "")
    for word in RESERVED_WORDS:
        prefix = prefix.replace(word, f"{word[0]}-{word[1:]}")
    return prefix


def domain_request(pool_id: str) -> CreateUserPoolDomainRequest:
    """Return the request for the pool's automatic domain with managed login."""
    return CreateUserPoolDomainRequest(
        user_pool_id=pool_id, domain=domain_prefix(pool_id), managed_login_version=MANAGED_LOGIN
    )


def resource_server_request(choices: Choices, pool_id: str) -> CreateResourceServerRequest:
    """Return the request for the resource server of a machine-to-machine application."""
    identifier = _resource_server(choices)
    return CreateResourceServerRequest(
        user_pool_id=pool_id,
        identifier=identifier,
        name=identifier,
        scopes=[ResourceServerScopeType(scope_name="read", scope_description="Read access")],
    )


def _resource_server(choices: Choices) -> str:
    return f"default-m2m-resource-server-{choices.suffix}"


def client_request(choices: Choices, pool_id: str) -> CreateUserPoolClientRequest:
    """Return the request for the app client (spec/http/08 §8.3.2)."""
    request = CreateUserPoolClientRequest(
        user_pool_id=pool_id,
        client_name=choices.application_name or f"My {_SHORT_NAMES[choices.application_type]} - {choices.suffix}",
        generate_secret=choices.application_type in CONFIDENTIAL,
        allowed_oauth_flows_user_pool_client=True,
        prevent_user_existence_errors=PreventUserExistenceErrorTypes.ENABLED,
        enable_token_revocation=True,
        refresh_token_validity=5,
        access_token_validity=60,
        id_token_validity=60,
        auth_session_validity=3,
        token_validity_units=TokenValidityUnitsType(
            refresh_token=TimeUnitsType.days,
            access_token=TimeUnitsType.minutes,
            id_token=TimeUnitsType.minutes,
        ),
    )
    if not choices.has_users:
        return replace(
            request,
            allowed_oauth_flows=[OAuthFlowType.client_credentials],
            allowed_oauth_scopes=[f"{_resource_server(choices)}/read"],
            explicit_auth_flows=[ExplicitAuthFlowsType.ALLOW_REFRESH_TOKEN_AUTH],
        )
    return replace(
        request,
        allowed_oauth_flows=[OAuthFlowType.code],
        allowed_oauth_scopes=USER_SCOPES,
        explicit_auth_flows=[
            ExplicitAuthFlowsType.ALLOW_USER_AUTH,
            ExplicitAuthFlowsType.ALLOW_USER_SRP_AUTH,
            ExplicitAuthFlowsType.ALLOW_REFRESH_TOKEN_AUTH,
        ],
        supported_identity_providers=["COGNITO"],
        callback_urls=[choices.return_url or choices.landing_url],
    )


_SHORT_NAMES = {
    ApplicationType.TRADITIONAL_WEB: "web app",
    ApplicationType.SINGLE_PAGE: "SPA app",
    ApplicationType.MOBILE: "mobile app",
    ApplicationType.MACHINE_TO_MACHINE: "machine-to-machine app",
}


def branding_request(made: Made) -> CreateManagedLoginBrandingRequest:
    """Return the request for the client's default branding style, without which its pages do not open."""
    return CreateManagedLoginBrandingRequest(
        user_pool_id=made.pool_id, client_id=made.client_id, use_cognito_provided_values=True
    )
