"""What an identity provider says of one of its users, and what becomes of that in the pool (spec/http/06 §6.4).

A claim that is null counts as missing. Truths and numbers become text, lists ``[one, two]`` with their members in the
form encoding, objects JSON. What text cannot be stored is replaced in it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

import msgspec
from msgspec import Struct

from poolhouse.core.acr import Method, Methods
from poolhouse.core.aliases import CONTACTS, fold_username
from poolhouse.core.attribute_changes import FLAGS
from poolhouse.core.attributes import GIVEN, check_changes, check_new, without
from poolhouse.core.client import Client
from poolhouse.core.identity_providers import IdentityProvider
from poolhouse.core.pool import Pool
from poolhouse.core.provider_links import profile_name
from poolhouse.model import InvalidParameterException
from poolhouse.model.shapes import UsernameType

USERNAME = "username"
# The claim that names the user of a SAML provider, which has no mapping of its own for that.
NAME_ID = "NameID"
LONGEST_ATTRIBUTE, LONGEST_SESSION = 2048, 1500


class ProviderSession(Struct, frozen=True, kw_only=True):
    """A user's session at a SAML provider, in the words by which it is ended there (SAML 2.0 Core §2.2.2, §2.7.2)."""

    name_id: str
    format: str | None = None
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None
    index: str | None = None


class Assertion(Struct, frozen=True, kw_only=True):
    """What a provider says of one of its users at one sign-in; signatures, times and addressees are checked.

    ``token_response`` is what the token endpoint answered, ``id_token`` the claims of the ID token in it, ``user_info``
    what the provider's address of attributes answered. A provider without one of them leaves it empty.
    ``saml_response`` is what a SAML assertion says, by the names of its attributes, and under ``NameID`` who it is;
    ``session`` is what its user has there.
    """

    token_response: Mapping[str, Any] = {}
    id_token: Mapping[str, Any] = {}
    user_info: Mapping[str, Any] = {}
    saml_response: Mapping[str, Any] = {}
    session: ProviderSession | None = None

    @property
    def claims(self) -> dict[str, Any]:
        """All that can be mapped to attributes: those of the ID token count most, the tokens themselves least."""
        return {**self.token_response, **self.user_info, **self.id_token, **self.saml_response}


class AttributesMissing(InvalidParameterException):
    """A provider does not give what the pool requires."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"attributes required: [{', '.join(names)}]")
        self.names = names


class Visitor(Struct, frozen=True, kw_only=True):
    """A provider's user: ``subject`` is its name there, ``attributes`` what it is said to have, by the pool's names.

    Blank values are those that the provider says are gone.
    """

    subject: str
    attributes: dict[str, str]


def read_subject(provider: IdentityProvider, claims: Mapping[str, Any]) -> str | None:
    """Return what the provider names its user by, None where the claim is missing or no name."""
    claim = (provider.settings.attribute_mapping or {}).get(USERNAME, NAME_ID)
    value = claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return text_of(value) or None


def read_visitor(provider: IdentityProvider, claims: Mapping[str, Any], subject: str) -> Visitor:
    """Return a provider's user as the attribute mapping has it."""
    mapping = (provider.settings.attribute_mapping or {}).items()
    mapped = {name: text_of(claims[claim]) for name, claim in mapping if claims.get(claim) is not None}
    return Visitor(
        subject=subject,
        attributes={name: value for name, value in mapped.items() if name != USERNAME and name not in GIVEN},
    )


def text_of(claim: Any) -> str:
    """Return a claim as the value of an attribute (spec/http/06 §6.4)."""
    if isinstance(claim, str):
        text = claim
    elif isinstance(claim, list | tuple):
        text = f"[{', '.join(map(_member, claim))}]"
    else:
        text = _json(claim)
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _member(claim: Any) -> str:
    # The form encoding leaves an asterisk and encodes a tilde, other than Python.
    text = claim if isinstance(claim, str) else _json(claim)
    return quote_plus(text, safe="*", errors="replace").replace("~", "%7E")


def _json(claim: Any) -> str:
    return json.dumps(claim, ensure_ascii=False, separators=(",", ":"))


def new_username(pool: Pool, provider: IdentityProvider, subject: str) -> str:
    """Return the user name of a user who comes for the first time; raises InvalidParameterException."""
    username = fold_username(pool, profile_name(provider.name, subject))
    try:
        return msgspec.convert(username, UsernameType)
    except msgspec.ValidationError:
        raise InvalidParameterException("The name of the user at the provider cannot be part of a user name.") from None


def new_attributes(pool: Pool, client: Client, said: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of a user who comes for the first time, by what the provider says.

    Raises InvalidParameterException where a required one is missing, or one does not conform to the schema.
    """
    given = {name: value for name, value in _writable(pool, client, said).items() if value}
    required = [name for name, entry in pool.schema.items() if entry.required and name != "sub"]
    _check_there([name for name in required if name not in given])
    _check_lengths(given)
    return check_new(pool, _merge({}, given), complete=False)


def changed_attributes(
    pool: Pool, client: Client, present: Mapping[str, str], said: Mapping[str, str]
) -> dict[str, str]:
    """Return a user's attributes with what the provider says now; what it leaves out stays, what is blank goes.

    A contact whose value changes is unverified, unless the provider says otherwise.
    Raises InvalidParameterException: for an attribute that cannot change also where its value is the same.
    """
    given = _writable(pool, client, said)
    changes = {name: value for name, value in given.items() if value or name in present}
    _check_there([name for name, value in changes.items() if not value and pool.schema[name].required])
    _check_lengths(changes)
    return _merge(present, check_changes(pool, changes))


def _writable(pool: Pool, client: Client, attributes: Mapping[str, str]) -> dict[str, str]:
    """Return those attributes that the client may write; whether a contact is verified the mapping alone decides."""
    named = client.writable
    return {
        name: value
        for name, value in attributes.items()
        if (entry := pool.schema.get(name)) is not None
        and not entry.developer_only_attribute
        and (named is None or name in named or entry.required or name in FLAGS)
    }


def _merge(present: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    merged = without(present, [name for name, value in changes.items() if not value])
    merged |= {name: value for name, value in changes.items() if value}
    for contact in CONTACTS:
        flag = f"{contact}_verified"
        if contact not in merged:
            merged.pop(flag, None)
        elif flag not in changes and merged[contact] != present.get(contact):
            merged[flag] = "false"
    return merged


def _check_there(missing: list[str]) -> None:
    if missing:
        raise AttributesMissing(missing)


def _check_lengths(attributes: Mapping[str, str]) -> None:
    for name, value in attributes.items():
        if len(value) > LONGEST_ATTRIBUTE:
            raise InvalidParameterException(
                f"user.{name}: String must be no longer than {LONGEST_ATTRIBUTE} characters\n"
            )


def session_to_end(provider: IdentityProvider, assertion: Assertion) -> ProviderSession | None:
    """Return what is to be ended at the provider when the user signs out here; None where nothing is.

    A cookie keeps it, so nothing is ended that takes more words than a cookie has room for.
    """
    session = assertion.session if ends_sessions(provider) else None
    return session if session is not None and len(msgspec.json.encode(session)) <= LONGEST_SESSION else None


def ends_sessions(provider: IdentityProvider) -> bool:
    """Tell whether users who sign out here are to be signed out at the provider as well."""
    details = provider.settings.provider_details or {}
    return details.get("IDPSignout") == "true"


def read_methods(assertion: Assertion) -> Methods:
    """Return how the provider says that the user signed in there, as far as it has words that are known here."""
    said = assertion.id_token.get("amr")
    known = {name for name in said if isinstance(name, str)} if isinstance(said, list) else set()
    return frozenset({Method.FEDERATED, *(method for method in Method if method in known)})


def read_level(provider: IdentityProvider, assertion: Assertion) -> int:
    """Return the highest level that the provider's ``acr`` stands for (AcrMapping); without one it is the first."""
    said = assertion.id_token.get("acr")
    named = (provider.settings.acr_mapping or {}).items()
    return max((int(level.removeprefix("Level")) for level, name in named if name == said), default=1)
