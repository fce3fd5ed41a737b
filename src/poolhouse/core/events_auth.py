"""What the triggers around signing in are told: the ``request`` of their events (spec/api/06 §5, §6, §8)."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from poolhouse.core.aliases import contact_aliases
from poolhouse.core.client import Client
from poolhouse.core.groups import Group, find_preferred_role, roles_of
from poolhouse.core.pool import Pool
from poolhouse.core.user import User

PRE_AUTHENTICATION = "PreAuthentication_Authentication"
POST_AUTHENTICATION = "PostAuthentication_Authentication"


class TokenSource(StrEnum):
    """Why tokens are made: the source that the pre token generation trigger sees."""

    HOSTED = "TokenGeneration_HostedAuth"
    SIGN_IN = "TokenGeneration_Authentication"
    NEW_PASSWORD = "TokenGeneration_NewPasswordChallenge"
    DEVICE = "TokenGeneration_AuthenticateDevice"
    REFRESH = "TokenGeneration_RefreshTokens"
    CLIENT_CREDENTIALS = "TokenGeneration_ClientCredentials"


def pre_authentication(
    pool: Pool, client: Client, user: User | None, validation_data: dict[str, str] | None
) -> dict[str, Any]:
    """Return the request before a sign-in is looked at; ``user`` is None for one whose absence is concealed."""
    return {
        "userAttributes": user_attributes(pool, user),
        "validationData": validation_data or None,
        **not_found_member(client, user),
    }


def post_authentication(
    pool: Pool, user: User, client_metadata: dict[str, str] | None, *, new_device: bool = False
) -> dict[str, Any]:
    """Return the request after a sign-in whose every step is passed.

    ``new_device`` says that the pool tracks devices and did not know this one.
    """
    return {
        "userAttributes": user_attributes(pool, user),
        "newDeviceUsed": new_device,
        **metadata_member(client_metadata),
    }


def pre_token(
    pool: Pool,
    user: User,
    groups: Sequence[Group],
    scopes: Iterable[str] | None,
    client_metadata: dict[str, str] | None,
) -> dict[str, Any]:
    """Return the request before a user's tokens are made; ``groups`` are the user's, in their order.

    ``scopes`` is None for the trigger's first version, which is not told of them.
    """
    return {
        "userAttributes": user_attributes(pool, user),
        "groupConfiguration": {
            "groupsToOverride": [group.name for group in groups],
            "iamRolesToOverride": roles_of(groups),
            "preferredRole": find_preferred_role(groups),
        },
        **({} if scopes is None else {"scopes": list(scopes)}),
        **metadata_member(client_metadata),
    }


def machine_token(scopes: Iterable[str], client_metadata: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the request before a client's own token is made (spec/http/04 §4.8)."""
    return {
        "userAttributes": {},
        "groupConfiguration": None,
        "scopes": list(scopes),
        **metadata_member(client_metadata),
    }


def user_attributes(pool: Pool, user: User | None) -> dict[str, str]:
    """Return a user's attributes as triggers see them: strings, with ``sub`` and the status; none for no user.

    What of ``cognito:…`` they see besides is the user's aliases in a pool with aliases, and that second factors are on
    (spec/api/06 §1.1).
    """
    if user is None:
        return {}
    aliases = {f"cognito:{contact}_alias": user.attributes[contact] for contact in contact_aliases(pool, user)}
    second_factors = {"cognito:mfa_enabled": "true"} if user.factors.active else {}
    return {"sub": user.sub, "cognito:user_status": user.status.value} | aliases | second_factors | user.attributes


def not_found_member(client: Client, user: User | None) -> dict[str, Any]:
    """Return ``userNotFound`` where the client conceals from everyone else whether there is such a user."""
    return {"userNotFound": user is None} if client.conceals_users else {}


def metadata_member(client_metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """Return ``clientMetadata``, which is there only if the request carried some (spec/api/06 §1.1)."""
    return {"clientMetadata": dict(client_metadata)} if client_metadata else {}
