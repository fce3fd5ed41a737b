"""What the pre token generation trigger changes about tokens (spec/api/06 §8, spec/http/04 §4.8).

Differs from Cognito (claims of functions): what becomes of a reply that is right in form but asks for more than there
is to have is not documented for Cognito. Here claims that cannot be changed are left as they are; claims of groups are
changed by ``groupOverrideDetails`` alone, which no client's own token has; a claim of value null is not added; an
``aud`` that is there already stays. A scope with a blank in it, an array or object for ``email_verified``,
``phone_number_verified``, ``updated_at`` or ``address``, and more than 32 KiB of changes are no recognizable output.
"""

import re
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from poolhouse.core.trigger_events import UNRECOGNIZABLE
from poolhouse.model import InvalidLambdaResponseException

Claims = dict[str, Any]

GROUPS = "cognito:groups"
ROLES = "cognito:roles"
PREFERRED_ROLE = "cognito:preferred_role"
OF_GROUPS = frozenset({GROUPS, ROLES, PREFERRED_ROLE})
# What no reply can add, change or remove; ``act`` says who acts for the user, which is ours to know.
FIXED = frozenset(
    {
        *("acr", "act", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "device_key", "event_id", "exp"),
        *("iat", "identities", "iss", "jti", "nbf", "nonce", "origin_jti", "sub", "token_use", "username", "version"),
    }
)
# Prefixes of claims that no reply can add, ``aws:`` to access tokens; what is there with ``dev:`` can be removed.
OURS, DEVELOPERS, SERVICES = "cognito:", "dev:", "aws:"
# Attributes of the user with a form of their own.
_SIMPLE = frozenset({"address", "email_verified", "phone_number_verified", "updated_at"})
# RFC 6749 §3.3.
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+", re.ASCII)
# The changes of one reply, in bytes of JSON: a token with them is not longer than those that this server reads.
MAX_CHANGES = 32_768


class GroupOverride(Struct, frozen=True, rename="camel"):
    """The groups, the roles and the preferred role that stand in place of all that the user's groups give."""

    groups_to_override: list[str] | None = None
    iam_roles_to_override: list[str] | None = None
    preferred_role: str | None = None


class ClaimChanges(Struct, frozen=True, rename="camel"):
    """What is to be changed about the claims of one token."""

    claims_to_add_or_override: Claims | None = None
    claims_to_suppress: list[str] | None = None


class AccessChanges(ClaimChanges, frozen=True, rename="camel"):
    """What is to be changed about an access token."""

    scopes_to_add: list[str] | None = None
    scopes_to_suppress: list[str] | None = None


class TokenOverrides(Struct, frozen=True, rename="camel"):
    """What a reply changes, in the form of versions 2 and 3.

    Groups are UNSET where they stay as they are; None removes them, as an empty object does.
    """

    id_token_generation: ClaimChanges | None = None
    access_token_generation: AccessChanges | None = None
    group_override_details: GroupOverride | UnsetType | None = UNSET


class _FirstVersion(Struct, frozen=True, rename="camel"):
    """The form of version 1: claims of the ID token, which are text, and the groups of both tokens."""

    claims_to_add_or_override: dict[str, str] | None = None
    claims_to_suppress: list[str] | None = None
    group_override_details: GroupOverride | UnsetType | None = UNSET

    def generalized(self) -> TokenOverrides:
        changes = ClaimChanges(self.claims_to_add_or_override, self.claims_to_suppress)
        return TokenOverrides(id_token_generation=changes, group_override_details=self.group_override_details)


def read_overrides(response: Claims, version: str) -> TokenOverrides | None:
    """Return what the ``response`` of an event of a version (``1``, ``2``, ``3``) changes; None for nothing.

    Raises InvalidLambdaResponseException.
    """
    details = response.get("claimsOverrideDetails" if version == "1" else "claimsAndScopeOverrideDetails")
    if details is None:
        return None
    try:
        if len(msgspec.json.encode(details)) > MAX_CHANGES:
            raise InvalidLambdaResponseException(UNRECOGNIZABLE)
        if version == "1":
            return msgspec.convert(details, _FirstVersion).generalized()
        overrides = msgspec.convert(details, TokenOverrides)
    except (msgspec.ValidationError, UnicodeError, RecursionError):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE) from None
    if not _is_sound(overrides):
        raise InvalidLambdaResponseException(UNRECOGNIZABLE)
    return overrides


def _is_sound(overrides: TokenOverrides) -> bool:
    """Tell whether values have a form that tokens can have."""
    access = overrides.access_token_generation
    for changes in (overrides.id_token_generation, access):
        added = (changes and changes.claims_to_add_or_override) or {}
        if any(isinstance(added[name], dict | list) for name in _SIMPLE & added.keys()):
            return False
    return all(_SCOPE.fullmatch(scope) for scope in (access and access.scopes_to_add) or ())


def change_id_claims(overrides: TokenOverrides, claims: Claims) -> None:
    """Change the claims of an ID token."""
    override = overrides.group_override_details
    if override is not UNSET:
        override = override or GroupOverride()
        _put(claims, GROUPS, override.groups_to_override)
        _put(claims, ROLES, override.iam_roles_to_override)
        _put(claims, PREFERRED_ROLE, override.preferred_role)
    if overrides.id_token_generation is not None:
        _change(claims, overrides.id_token_generation, FIXED, (OURS, DEVELOPERS))


def change_access_claims(overrides: TokenOverrides, claims: Claims) -> None:
    """Change the claims of an access token, a user's or a client's own, which has no groups."""
    override, changes = overrides.group_override_details, overrides.access_token_generation
    if override is not UNSET and "username" in claims:
        _put(claims, GROUPS, override and override.groups_to_override)
    if changes is None:
        return
    _change(claims, changes, FIXED | {"scope"}, (OURS, DEVELOPERS, SERVICES))
    claims["scope"] = _change_scopes(claims["scope"], changes.scopes_to_add or (), changes.scopes_to_suppress or ())
    audience = (changes.claims_to_add_or_override or {}).get("aud")
    if audience == claims["client_id"] and "aud" not in claims and "aud" not in (changes.claims_to_suppress or ()):
        # The one audience that may be added: whoever takes an ID token's ``aud`` for the client finds it here too.
        claims["aud"] = audience


def _change(claims: Claims, changes: ClaimChanges, fixed: frozenset[str], reserved: tuple[str, ...]) -> None:
    """Add claims, then remove those that are not wanted, which wins."""
    for name, value in (changes.claims_to_add_or_override or {}).items():
        if value is not None and name not in fixed and not name.startswith(reserved):
            claims[name] = value
    suppressed = set(changes.claims_to_suppress or ())
    if GROUPS in suppressed:
        suppressed |= OF_GROUPS
    for name in suppressed - fixed:
        if name in OF_GROUPS or not name.startswith(OURS):
            claims.pop(name, None)


def _change_scopes(scopes: str, added: Collection[str], suppressed: Collection[str]) -> str:
    wanted = dict.fromkeys((*scopes.split(), *added))
    return " ".join(scope for scope in wanted if scope not in suppressed)


def _put(claims: Claims, name: str, value: Any) -> None:
    """Set a claim, or remove it where there is nothing to say."""
    if value:
        claims[name] = value
    else:
        claims.pop(name, None)
