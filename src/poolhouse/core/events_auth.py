"""What the triggers around signing in are told: the ``request`` of their events (spec/api/06 §5, §6, §8)."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from poolhouse.core.client import Client
from poolhouse.core.groups import Group, find_preferred_role, roles_of
from poolhouse.core.user import User

PRE_AUTHENTICATION = "PreAuthentication_Authentication"
POST_AUTHENTICATION = "PostAuthentication_Authentication"
DEFINE_CHALLENGE = "DefineAuthChallenge_Authentication"


class TokenSource(StrEnum):
    """Why tokens are made: the source that the pre token generation trigger sees."""

    HOSTED = "TokenGeneration_HostedAuth"
    SIGN_IN = "TokenGeneration_Authentication"
    NEW_PASSWORD = "TokenGeneration_NewPasswordChallenge"
    DEVICE = "TokenGeneration_AuthenticateDevice"
    REFRESH = "TokenGeneration_RefreshTokens"
    CLIENT_CREDENTIALS = "TokenGeneration_ClientCredentials"


def pre_authentication(client: Client, user: User | None, validation_data: dict[str, str] | None) -> dict[str, Any]:
    """Return the request before a sign-in is looked at; ``user`` is None for one whose absence is concealed."""
    return {
        "userAttributes": user_attributes(user),
        "validationData": validation_data,
        **_not_found(client, user),
    }


def post_authentication(
    user: User, client_metadata: dict[str, str] | None, *, new_device: bool = False
) -> dict[str, Any]:
    """Return the request after a sign-in whose every step is passed.

    ``new_device`` says that the pool tracks devices and did not know this one.
    """
    return {"userAttributes": user_attributes(user), "newDeviceUsed": new_device, **_metadata(client_metadata)}


def define_challenge(client: Client, user: User | None) -> dict[str, Any]:
    """Return the first request of custom authentication, which asks what to ask."""
    return {"userAttributes": user_attributes(user), "session": [], **_not_found(client, user)}


def pre_token(
    user: User, groups: Sequence[Group], scopes: Iterable[str] | None, client_metadata: dict[str, str] | None
) -> dict[str, Any]:
    """Return the request before a user's tokens are made; ``groups`` are the user's, in their order.

    ``scopes`` is None for the trigger's first version, which is not told of them.
    """
    return {
        "userAttributes": user_attributes(user),
        "groupConfiguration": {
            "groupsToOverride": [group.name for group in groups],
            "iamRolesToOverride": roles_of(groups),
            "preferredRole": find_preferred_role(groups),
        },
        **({} if scopes is None else {"scopes": list(scopes)}),
        **_metadata(client_metadata),
    }


def machine_token(scopes: Iterable[str], client_metadata: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the request before a client's own token is made (spec/http/04 §4.8)."""
    return {"userAttributes": {}, "groupConfiguration": None, "scopes": list(scopes), **_metadata(client_metadata)}


def user_attributes(user: User | None) -> dict[str, str]:
    """Return a user's attributes as triggers see them: strings, with ``sub`` and the status; none for no user."""
    if user is None:
        return {}
    return {"sub": user.sub, "cognito:user_status": user.status.value} | user.attributes


def _not_found(client: Client, user: User | None) -> dict[str, Any]:
    return {"userNotFound": user is None} if client.conceals_users else {}


def _metadata(client_metadata: dict[str, str] | None) -> dict[str, Any]:
    # Cognito: the member is there only if the request carried some (spec/api/06 §1.1).
    return {"clientMetadata": client_metadata} if client_metadata else {}
