"""The seed: a file of pools in the API's own shapes, with ids, secrets and passwords that the API would make up.

What Create operations take and what Describe, Get and List operations answer can both stand in it. Members that the
service itself works out (``Arn``, ``EstimatedNumberOfUsers``, …) may be there and are not used.
"""

import difflib
import tomllib
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct, field
from msgspec import inspect as mi

from poolhouse.model import (
    AttributeType,
    ChallengeNameType,
    ClientSecretDescriptorType,
    ClientSSOSessionConfigType,
    DomainDescriptionType,
    GetUserPoolMfaConfigResponse,
    GetUserPoolSessionConfigurationResponse,
    GroupType,
    IdentityProviderType,
    ManagedLoginBrandingType,
    ProviderUserIdentifierType,
    ResourceServerType,
    SchemaAttributeType,
    TermsEnforcementType,
    TermsSourceType,
    UserPoolClientType,
    UserPoolType,
    UserStatusType,
)
from poolhouse.model.shapes import (
    ClientIdType,
    ClientNameType,
    CSSType,
    DateType,
    DomainType,
    GroupNameType,
    ImageFileType,
    LinksType,
    PasswordType,
    TermsIdType,
    TermsNameType,
    UsernameType,
    UserPoolIdType,
    UserPoolNameType,
)


class SeedError(Exception):
    """A seed that cannot be used; the text is a sentence for its author, after the place in the file."""


class SeedKey(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """A pinned signing key: an RSA private key in PEM. Without ``kid`` the id follows from the key."""

    use: Literal["id", "access"]
    private_key: str
    kid: str | None = None


class SeedTerms(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """A terms document of a client, as DescribeTerms answers."""

    terms_name: TermsNameType
    terms_source: TermsSourceType
    enforcement: TermsEnforcementType
    links: LinksType
    terms_id: TermsIdType | None = None
    client_id: ClientIdType | None = None
    user_pool_id: UserPoolIdType | None = None
    creation_date: DateType | None = None
    last_modified_date: DateType | None = None


class SeedStyle(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """A style of the classic pages, as SetUICustomization takes it."""

    css: CSSType | None = field(name="CSS", default=None)
    image_file: ImageFileType | None = None


class SeedClient(UserPoolClientType, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """An app client with its secrets, branding and terms."""

    client_id: ClientIdType
    client_name: ClientNameType
    generate_secret: bool | None = None
    client_secrets: tuple[ClientSecretDescriptorType, ...] = ()
    managed_login_branding: ManagedLoginBrandingType | None = None
    terms: tuple[SeedTerms, ...] = ()
    ui_customization: SeedStyle | None = field(name="UICustomization", default=None)
    sso_session: ClientSSOSessionConfigType | None = field(name="SSOSession", default=None)


class SeedDomain(DomainDescriptionType, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """A prefix domain or a custom domain."""

    domain: DomainType


class SeedGroup(GroupType, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """A group and who is in it, by any name that signs in."""

    group_name: GroupNameType
    members: tuple[str, ...] = ()


class SeedIdentity(ProviderUserIdentifierType, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """An identity at a provider, as AdminLinkProviderForUser takes it; ``primary`` is the one that a user began as."""

    primary: bool = False
    creation_date: DateType | None = None


class SeedToken(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """An authenticator app: the secret that AssociateSoftwareToken answered, in base32."""

    secret_code: str
    friendly_device_name: str | None = None
    creation_date: DateType | None = None


class SeedPasskey(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """A passkey: the public key of an authenticator, a COSE key, and what is known of it."""

    credential_id: str
    public_key: bytes
    sign_count: int = 0
    relying_party_id: str
    friendly_credential_name: str
    authenticator_attachment: str | None = None
    authenticator_transports: tuple[str, ...] = ()
    aaguid: str | None = None
    backed_up: bool = False
    created_at: DateType | None = None


class SeedUser(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """A user: as AdminGetUser or ListUsers answer, with one of three kinds of password at most.

    ``Password`` is for good, ``TemporaryPassword`` until the first sign-in; ``PasswordHash`` is an Argon2id string,
    which ``SrpSalt`` and ``SrpVerifier``, in hexadecimal digits, may go with. ``sub`` is one of the attributes.
    """

    username: UsernameType
    user_attributes: list[AttributeType] | None = None
    attributes: list[AttributeType] | None = None
    enabled: bool = True
    user_status: UserStatusType | None = None
    user_create_date: DateType | None = None
    user_last_modified_date: DateType | None = None
    password: PasswordType | None = None
    temporary_password: PasswordType | None = None
    password_hash: str | None = None
    password_set_date: DateType | None = None
    password_history: tuple[str, ...] = ()
    srp_salt: str | None = None
    srp_verifier: str | None = None
    identities: tuple[SeedIdentity, ...] = ()
    user_mfa_setting_list: tuple[ChallengeNameType, ...] = field(name="UserMFASettingList", default=())
    preferred_mfa_setting: ChallengeNameType | None = None
    software_token: SeedToken | None = None
    passkeys: tuple[SeedPasskey, ...] = ()
    passkey_mfa: bool = False


class SeedPool(UserPoolType, frozen=True, kw_only=True, omit_defaults=True, rename="pascal"):
    """A user pool and all that is in it. Its Region is the part of its id before the underscore."""

    id: UserPoolIdType
    pool_name: UserPoolNameType | None = None
    schema: list[SchemaAttributeType] | None = None
    mfa_config: GetUserPoolMfaConfigResponse | None = None
    session_configuration: GetUserPoolSessionConfigurationResponse | None = None
    signing_keys: tuple[SeedKey, ...] = ()
    resource_servers: tuple[ResourceServerType, ...] = ()
    identity_providers: tuple[IdentityProviderType, ...] = ()
    clients: tuple[SeedClient, ...] = ()
    domains: tuple[SeedDomain, ...] = ()
    ui_customization: SeedStyle | None = field(name="UICustomization", default=None)
    groups: tuple[SeedGroup, ...] = ()
    users: tuple[SeedUser, ...] = ()


class Seed(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The whole file."""

    user_pools: tuple[SeedPool, ...]


def read_seed(text: str) -> Seed:
    """Return the seed that a text in JSON or TOML holds; raises SeedError."""
    document = _parse(text)
    for place, name, known in _strangers(mi.type_info(Seed), document, ""):
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise SeedError(f"{f'{place}: ' if place else ''}there is no member {name}.{hint}")
    try:
        return msgspec.convert(document, Seed)
    except msgspec.ValidationError as error:
        raise SeedError(told(error)) from None


def told(error: msgspec.ValidationError, place: str = "") -> str:
    """Return what a document fails as a sentence that begins with the place below ``place``; it quotes no value."""
    text, _, path = str(error).partition(" - at `$")
    at = path.rstrip("`").removeprefix(".")
    if text.startswith("Object missing required field "):
        text = f"the member {text.removeprefix('Object missing required field ').strip('`')} is missing"
    where = ".".join(part for part in (place, at) if part)
    return f"{f'{where}: ' if where else ''}{text[:1].lower()}{text[1:].replace('`', '')}."


def dump_seed(seed: Seed) -> str:
    """Return the JSON text of a seed."""
    return msgspec.json.format(msgspec.json.encode(seed, order="deterministic"), indent=2).decode() + "\n"


def _parse(text: str) -> Any:
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        try:
            return msgspec.json.decode(text.removeprefix("\ufeff"))
        except (msgspec.DecodeError, RecursionError) as error:
            raise SeedError(f"it is not JSON: {error}.") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SeedError(f"it is neither JSON, which begins with a brace, nor TOML: {error}.") from None


def _strangers(info: mi.Type, value: Any, place: str) -> Iterator[tuple[str, str, list[str]]]:
    """Give place and name of each member that no structure has, with the names that there are.

    The API passes over such members; in a file they are misspelt.
    """
    if isinstance(info, mi.UnionType):
        info = next(each for each in info.types if not isinstance(each, mi.NoneType))
    if isinstance(info, mi.Metadata):
        info = info.type
    if isinstance(info, mi.StructType) and isinstance(value, dict):
        known = {each.encode_name: each.type for each in info.fields}
        for name, member in value.items():
            if name not in known:
                yield place, name, list(known)
            else:
                yield from _strangers(known[name], member, f"{place}.{name}" if place else name)
    elif isinstance(info, mi.ListType | mi.VarTupleType) and isinstance(value, list):
        for number, member in enumerate(value):
            yield from _strangers(info.item_type, member, f"{place}[{number}]")
    elif isinstance(info, mi.DictType) and isinstance(value, dict):
        for name, member in value.items():
            yield from _strangers(info.value_type, member, f"{place}.{name}")
