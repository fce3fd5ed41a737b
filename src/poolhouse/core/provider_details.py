"""ProviderDetails: what each type of identity provider needs, and what Describe adds (spec/http/06 §6.1)."""

import re
from collections.abc import Mapping

from msgspec import Struct

from poolhouse.core.saml_metadata import Metadata, read_metadata
from poolhouse.core.urls import check_web_address
from poolhouse.model import IdentityProviderTypeType as Kind
from poolhouse.model import InvalidParameterException

# What metadata says besides: the issuer of a SAML provider. It is kept for ``identities``, and not shown.
ENTITY_ID = "entity_id"
# What opens the assertions of a SAML provider that encrypts them, and the certificate that it encrypts them with.
DECRYPTION_KEY, ENCRYPTION_CERTIFICATE = "decryption_key", "ActiveEncryptionCertificate"
SECRET = frozenset({"client_secret", "private_key", DECRYPTION_KEY})
# Kept for signing requests and opening assertions, and told to nobody.
NEVER_SHOWN = frozenset({"private_key", DECRYPTION_KEY, ENTITY_ID})
_FROM_METADATA = frozenset({"SSORedirectBindingURI", "SLORedirectBindingURI", ENTITY_ID})

_OIDC_URLS = frozenset({"authorize_url", "token_url", "attributes_url", "jwks_uri"})
_SAML_FLAGS = ("IDPSignout", "IDPInit", "EncryptedResponses")
_FACEBOOK_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,3}")


class Rules(Struct, frozen=True, kw_only=True):
    """The keys of a type: ``required`` ones, ``optional`` ones, and ``added`` ones with their only value.

    Braces in an added value stand for the value of another key.
    """

    required: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    added: Mapping[str, str]


_APPLICATION = ("client_id", "client_secret", "authorize_scopes")
RULES = {
    Kind.Google: Rules(
        required=_APPLICATION,
        added={
            "attributes_url": "https://people.googleapis.com/v1/people/me?personFields=",
            "attributes_url_add_attributes": "true",
            "authorize_url": "https://accounts.google.com/o/oauth2/v2/auth",
            "oidc_issuer": "https://accounts.google.com",
            "token_request_method": "POST",
            "token_url": "https://www.googleapis.com/oauth2/v4/token",
        },
    ),
    Kind.Facebook: Rules(
        required=(*_APPLICATION, "api_version"),
        added={
            "attributes_url": "https://graph.facebook.com/{api_version}/me?fields=",
            "attributes_url_add_attributes": "true",
            "authorize_url": "https://www.facebook.com/{api_version}/dialog/oauth",
            "token_request_method": "GET",
            "token_url": "https://graph.facebook.com/{api_version}/oauth/access_token",
        },
    ),
    Kind.LoginWithAmazon: Rules(
        required=_APPLICATION,
        added={
            "attributes_url": "https://api.amazon.com/user/profile",
            "attributes_url_add_attributes": "false",
            "authorize_url": "https://www.amazon.com/ap/oa",
            "token_request_method": "POST",
            "token_url": "https://api.amazon.com/auth/o2/token",
        },
    ),
    Kind.SignInWithApple: Rules(
        required=("client_id", "team_id", "key_id", "private_key", "authorize_scopes"),
        added={
            "attributes_url_add_attributes": "false",
            "authorize_url": "https://appleid.apple.com/auth/authorize",
            "oidc_issuer": "https://appleid.apple.com",
            "token_request_method": "POST",
            "token_url": "https://appleid.apple.com/auth/token",
        },
    ),
    Kind.OIDC: Rules(
        required=(*_APPLICATION, "attributes_request_method", "oidc_issuer"),
        optional=_OIDC_URLS,
        added={"attributes_url_add_attributes": "false"},
    ),
    Kind.SAML: Rules(
        optional=frozenset(
            {
                *("MetadataURL", "MetadataFile", "RequestSigningAlgorithm", *_SAML_FLAGS),
                # Describe shows them, so they may come back; the metadata decides.
                *_FROM_METADATA,
                *(DECRYPTION_KEY, ENCRYPTION_CERTIFICATE),
            }
        ),
        added={},
    ),
}


def full_details(kind: Kind, given: Mapping[str, str]) -> dict[str, str]:
    """Return the details of a provider with what Describe adds to them; raises InvalidParameterException."""
    rules = RULES[kind]
    missing = [key for key in rules.required if not given.get(key, "").strip()]
    if missing:
        raise InvalidParameterException(f"ProviderDetails of type {kind} must have {', '.join(missing)}.")
    unknown = sorted(given.keys() - set(rules.required) - rules.optional - rules.added.keys())
    if unknown:
        raise InvalidParameterException(f"ProviderDetails of type {kind} cannot have {', '.join(unknown)}.")
    if kind is Kind.SAML:
        return _saml_details(given)
    if kind is Kind.OIDC:
        _check_oidc(given)
    if kind is Kind.Facebook and not _FACEBOOK_VERSION.fullmatch(given["api_version"]):
        raise InvalidParameterException("api_version must be a version such as v17.0.")
    version = given.get("api_version", "")
    return {**given, **{key: value.replace("{api_version}", version) for key, value in rules.added.items()}}


def _check_oidc(given: Mapping[str, str]) -> None:
    _check_value("attributes_request_method", given, "GET", "POST")
    for key in ("oidc_issuer", *sorted(_OIDC_URLS & given.keys())):
        check_web_address(given[key])


def is_encrypted(details: Mapping[str, str]) -> bool:
    """Tell whether a SAML provider is to encrypt its assertions."""
    return details.get("EncryptedResponses") == "true"


def _saml_details(given: Mapping[str, str]) -> dict[str, str]:
    """Return the details with the addresses that a metadata file gives, and the key pair where there is use for it."""
    computed = _FROM_METADATA
    if DECRYPTION_KEY not in given or not is_encrypted(given):
        computed |= {DECRYPTION_KEY, ENCRYPTION_CERTIFICATE}
    details = {key: value for key, value in given.items() if key not in computed}
    for flag in _SAML_FLAGS:
        _check_value(flag, given, "true", "false")
    _check_value("RequestSigningAlgorithm", given, "rsa-sha256")
    url, file = given.get("MetadataURL"), given.get("MetadataFile")
    if bool(url) == bool(file):
        raise InvalidParameterException("ProviderDetails of type SAML must have either MetadataURL or MetadataFile.")
    if url:
        check_web_address(url)
    if file:
        return with_metadata(details, read_metadata(file))
    return details


def with_metadata(details: Mapping[str, str], metadata: Metadata) -> dict[str, str]:
    """Return the details of a SAML provider with what it says of itself."""
    said = {
        "SSORedirectBindingURI": metadata.sign_on_url,
        "SLORedirectBindingURI": metadata.sign_out_url,
        ENTITY_ID: metadata.entity_id,
    }
    others = {key: value for key, value in details.items() if key not in said}
    return others | {key: value for key, value in said.items() if value is not None}


def _check_value(key: str, given: Mapping[str, str], *allowed: str) -> None:
    if key in given and given[key] not in allowed:
        raise InvalidParameterException(f"{key} must be {' or '.join(allowed)}.")
