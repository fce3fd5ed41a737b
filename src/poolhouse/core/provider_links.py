"""Linking users to identities at providers: what may be linked, and what is shown of it (spec/http/06 §6.5)."""

from poolhouse.core.identities import Identity, Shown
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.provider_details import ENTITY_ID
from poolhouse.model import IdentityProviderTypeType as Kind
from poolhouse.model import InvalidParameterException, ProviderUserIdentifierType

# Stands for whatever a provider names its users by.
SUBJECT = "Cognito_Subject"
# The provider that stands for the user pool itself, here spelt as the API wants it.
LOCAL = "Cognito"
MAX_LINKS = 5
MAX_ATTRIBUTES = 5
# SAML 2.0 Core §8.3.7 and OpenID Connect Core §2 know no longer names of users.
LONGEST_VALUE = 256
NAMED_BY_ATTRIBUTES = frozenset({Kind.OIDC, Kind.SAML})


def show(identity: Identity, provider: IdentityProvider) -> Shown:
    """Return an identity as the attribute ``identities`` shows it."""
    return Shown(
        user_id=identity.value,
        provider_name=identity.provider,
        provider_type=provider.settings.provider_type,
        issuer=_find_issuer(provider),
        primary=identity.primary,
        date_created=identity.created_at,
    )


def _find_issuer(provider: IdentityProvider) -> str | None:
    """Return an OIDC issuer or a SAML entity id; None where there is none, or it is not known yet."""
    details, kind = provider.settings.provider_details or {}, provider.settings.provider_type
    if kind == Kind.OIDC:
        return details.get("oidc_issuer")
    return details.get(ENTITY_ID)


def read_name(given: ProviderUserIdentifierType, what: str) -> tuple[str, str]:
    """Return the provider and the value by which a request names a user; raises InvalidParameterException."""
    if not given.provider_name or not given.provider_attribute_value:
        raise InvalidParameterException(f"{what} must have ProviderName and ProviderAttributeValue.")
    if len(given.provider_attribute_value) > LONGEST_VALUE:
        raise InvalidParameterException(f"ProviderAttributeValue of {what} is longer than {LONGEST_VALUE} characters.")
    return given.provider_name, given.provider_attribute_value


def read_attribute(given: ProviderUserIdentifierType, provider: IdentityProvider) -> str:
    """Return the attribute that a request tells a provider's users by; raises InvalidParameterException."""
    attribute, settings = given.provider_attribute_name, provider.settings
    if attribute == SUBJECT:
        return attribute
    if settings.provider_type not in NAMED_BY_ATTRIBUTES:
        raise InvalidParameterException(f"ProviderAttributeName of a social identity provider must be {SUBJECT}.")
    if not attribute or attribute == "username" or attribute not in (settings.attribute_mapping or {}):
        raise InvalidParameterException(
            f"ProviderAttributeName must be {SUBJECT} or an attribute that the provider {provider.name} maps."
        )
    return attribute


def profile_name(provider: str, subject: str) -> str:
    """Return the user name of a provider's user who came into being by signing in (spec/http/06 §6.2)."""
    return f"{provider}_{subject}"
