"""Identity providers as Create- and UpdateIdentityProvider leave them (spec/api/02 §7, spec/http/06 §6.1–6.2)."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from poolhouse.core.grants import LOCAL_PROVIDER
from poolhouse.core.pool import Pool
from poolhouse.core.provider_details import DECRYPTION_KEY, ENCRYPTION_CERTIFICATE, SECRET, full_details, is_encrypted
from poolhouse.model import (
    AcrMappingType,
    CreateIdentityProviderRequest,
    IdentityProviderType,
    InvalidParameterException,
    UpdateIdentityProviderRequest,
)
from poolhouse.model import IdentityProviderTypeType as Kind
from poolhouse.model.shapes import ProviderNameType

MAX_PROVIDERS = 300
MAX_MAPPED_NAME = 32
# The claim that names the user at a provider, mapped to the user name unless the request maps another.
USERNAME_SOURCES = {
    Kind.Google: "sub",
    Kind.Facebook: "id",
    Kind.LoginWithAmazon: "user_id",
    Kind.SignInWithApple: "sub",
    Kind.OIDC: "sub",
}


class IdentityProvider(Struct, frozen=True, kw_only=True):
    """A provider: its settings in the API's own shape without secrets, and those sealed, where it has some."""

    settings: IdentityProviderType
    sealed: bytes | None = None

    @property
    def pool_id(self) -> str:
        """The pool of the provider."""
        assert self.settings.user_pool_id is not None
        return self.settings.user_pool_id

    @property
    def name(self) -> str:
        """The name of the provider, unique in its pool."""
        assert self.settings.provider_name is not None
        return self.settings.provider_name

    @property
    def is_saml(self) -> bool:
        """Whether the provider speaks SAML; all others speak OAuth 2.0."""
        return self.settings.provider_type is Kind.SAML


def new_provider(request: CreateIdentityProviderRequest, pool: Pool, now: int) -> IdentityProviderType:
    """Return the settings that a request asks for, secrets included; raises InvalidParameterException."""
    kind = request.provider_type
    _check_name(request.provider_name, kind)
    _check_identifiers(request.idp_identifiers or ())
    _check_acr(request.acr_mapping, kind)
    return IdentityProviderType(
        user_pool_id=pool.id,
        provider_name=request.provider_name,
        provider_type=kind,
        provider_details=full_details(kind, request.provider_details),
        attribute_mapping=_mapping(request.attribute_mapping, kind, pool),
        idp_identifiers=request.idp_identifiers or None,
        acr_mapping=request.acr_mapping or None,
        creation_date=now / 1000,
        last_modified_date=now / 1000,
    )


def updated_provider(
    current: IdentityProviderType, request: UpdateIdentityProviderRequest, pool: Pool, now: int
) -> IdentityProviderType:
    """Return the settings with the members that a request has, each replaced as a whole.

    ``current`` has its secrets. A private key that the request leaves out stays, since nobody could send back what
    Describe does not show. Raises InvalidParameterException.
    """
    kind, details, mapping = current.provider_type, current.provider_details or {}, current.attribute_mapping
    assert kind is not None
    if request.provider_details is not None:
        kept = {key: details[key] for key in ("private_key", DECRYPTION_KEY) if key in details}
        given = kept | request.provider_details
        if given.get(DECRYPTION_KEY) == details.get(DECRYPTION_KEY, ""):
            given[ENCRYPTION_CERTIFICATE] = details[ENCRYPTION_CERTIFICATE]
        details = full_details(kind, given)
    if request.attribute_mapping is not None:
        mapping = _mapping(request.attribute_mapping, kind, pool)
    identifiers = current.idp_identifiers if request.idp_identifiers is None else request.idp_identifiers
    _check_identifiers(identifiers or ())
    _check_acr(request.acr_mapping, kind)
    return replace(
        current,
        provider_details=details,
        attribute_mapping=mapping,
        idp_identifiers=identifiers or None,
        acr_mapping=(current.acr_mapping if request.acr_mapping is None else request.acr_mapping) or None,
        last_modified_date=now / 1000,
    )


class KeyPair(Struct, frozen=True, kw_only=True):
    """What a SAML provider encrypts assertions for a pool with: a private key in PEM, a certificate in DER to the base 64."""

    key: str
    certificate: str


def lacks_key_pair(settings: IdentityProviderType) -> bool:
    """Tell whether a provider is to encrypt its assertions and has nothing to do it with yet."""
    details = settings.provider_details or {}
    return is_encrypted(details) and not {DECRYPTION_KEY, ENCRYPTION_CERTIFICATE} <= details.keys()


def with_key_pair(settings: IdentityProviderType, pair: KeyPair) -> IdentityProviderType:
    """Return the settings with a key pair."""
    added = {DECRYPTION_KEY: pair.key, ENCRYPTION_CERTIFICATE: pair.certificate}
    return replace(settings, provider_details={**(settings.provider_details or {}), **added})


def split_secrets(settings: IdentityProviderType) -> tuple[IdentityProviderType, dict[str, str]]:
    """Return the settings without their secrets, and these."""
    details = settings.provider_details or {}
    secrets = {key: value for key, value in details.items() if key in SECRET}
    public = {key: value for key, value in details.items() if key not in SECRET}
    return replace(settings, provider_details=public), secrets


def _check_name(name: str, kind: Kind) -> None:
    """Check what the pattern of the request leaves open: it takes names by which no other operation finds anything."""
    try:
        msgspec.convert(name, ProviderNameType)
    except msgspec.ValidationError:
        raise InvalidParameterException("ProviderName has characters that no name can have.") from None
    if kind not in {Kind.OIDC, Kind.SAML} and name != kind:
        raise InvalidParameterException(f"ProviderName of a provider of type {kind} must be {kind}.")
    if name.upper() == LOCAL_PROVIDER:
        raise InvalidParameterException(f"The name {name} stands for the user pool itself.")


def _check_identifiers(identifiers: Sequence[str]) -> None:
    if len(set(identifiers)) < len(identifiers):
        raise InvalidParameterException("IdpIdentifiers must be distinct.")


def _check_acr(mapping: AcrMappingType | None, kind: Kind) -> None:
    if mapping and kind is not Kind.OIDC:
        raise InvalidParameterException("AcrMapping is for providers of type OIDC only.")


def _mapping(given: Mapping[str, str] | None, kind: Kind, pool: Pool) -> dict[str, str] | None:
    """Return the attribute mapping with the user name in it."""
    known = {attribute.name for attribute in pool.settings.schema_attributes or ()} | {"username"}
    for name in given or ():
        if len(name) > MAX_MAPPED_NAME or name not in known:
            raise InvalidParameterException(f"Attribute mapping names {name}, which is no attribute of the user pool.")
    default = {"username": USERNAME_SOURCES[kind]} if kind in USERNAME_SOURCES else {}
    return (default | dict(given or {})) or None
